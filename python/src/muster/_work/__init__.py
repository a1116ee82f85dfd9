"""The tasks of a peer: accepting, running, answering."""
