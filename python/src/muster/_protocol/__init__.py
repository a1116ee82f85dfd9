"""The protocol: its limits and its messages."""
