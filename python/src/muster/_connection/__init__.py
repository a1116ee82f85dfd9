"""One connection to a mesh: dialing, the handshake, paced sending."""
