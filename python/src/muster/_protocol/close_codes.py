"""WebSocket close codes of Muster. After `DENIED` and `SUPERSEDED` a peer does not reconnect."""

NORMAL = 1000
ABNORMAL = 1006
"""The close code of a socket that failed without a closing handshake."""
BAD_MESSAGE = 4400
HANDSHAKE = 4401
DENIED = 4403
TIMEOUT = 4408
SUPERSEDED = 4409
RATE = 4429
DRAINING = 4503
