"""How a command fails: one line with what is wrong and what to do, and an exit code, the same as those of `muster`."""

from __future__ import annotations

from muster.errors import MusterError, OptionsError, PeerError

OK = 0
FAILED = 1
"""The call is right, and failed."""
USAGE = 2
"""The call is wrong, whoever finds that out."""
UNREACHABLE = 3
"""Nothing answers as a mesh there, or the mesh serves nobody at the moment."""
REFUSED = 4
"""The mesh refuses this peer, or does not prove that it is the one that is expected."""


class Failure(Exception):  # noqa: N818 - the name of the command line in TypeScript
    """What is told, and the exit code."""

    def __init__(self, exit_code: int, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}; {hint}")
        self.exit_code = exit_code


_REFUSALS = frozenset(
    {
        "mesh_key_mismatch",
        "mesh_unproved",
        "handshake_refused",
        "not_allowed",
        "revoked",
        "rotated",
        "join_key_invalid",
        "downgrade_refused",
    }
)
_HINTS = {
    "mesh_key_mismatch": (
        "do not join unless the operator confirms the new key; then pass it with --mesh-key"
    ),
    "not_allowed": "join with a join key, or have the operator run `muster allow PUBLIC_KEY`",
    "join_key_invalid": "ask the operator for a new link",
    "superseded": "two peers use the same key file; use a separate key file for each",
}


def failure_of(error: BaseException) -> Failure:
    """Return how the command fails by an error."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, OptionsError):
        return Failure(USAGE, str(error))
    if isinstance(error, PeerError):
        # The code is told once: a reason that came with a close frame begins with it, too.
        text = f"{error.code}: {error}".replace(f"({error.code}: ", "(")
        code = REFUSED if error.code in _REFUSALS else FAILED
        code = USAGE if error.code == "handlers_not_loaded" else code
        return Failure(code, text, _HINTS.get(error.code))
    if isinstance(error, MusterError):
        return Failure(FAILED, f"{error.code}: {error}")
    if isinstance(error, OSError):
        return Failure(FAILED, str(error))
    raise error
