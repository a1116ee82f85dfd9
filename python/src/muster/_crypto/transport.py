"""The frames of a session after the handshake: one key and one counter for each direction (Noise section 5.1)."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from muster._crypto.noise import nonce_bytes


class Sealer:
    """Seals the frames of one direction. Each frame must be sent, in the order in which it was sealed."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._counter = 0

    def seal(self, plaintext: bytes) -> bytes:
        """Return the next frame."""
        counter = self._counter
        self._counter = counter + 1
        return self._cipher.encrypt(nonce_bytes(counter), plaintext, None)


class Opener:
    """Opens the frames of one direction."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._counter = 0

    def open(self, frame: bytes) -> bytes | None:
        """Return the next plaintext; None for a frame that is repeated, out of order, altered or sealed with another key."""
        try:
            plaintext = self._cipher.decrypt(nonce_bytes(self._counter), frame, None)
        except InvalidTag:
            return None
        self._counter += 1
        return plaintext
