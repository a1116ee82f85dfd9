"""A peer: it stays connected, and connects its parts."""
