"""What the whole package stands on: bytes, clocks, backoff."""
