"""Keys, the handshake, and what is sealed: on the primitives of `cryptography`."""
