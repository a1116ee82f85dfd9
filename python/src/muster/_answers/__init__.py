"""What a mesh answers, as frozen dataclasses, and the reader that makes them of JSON."""
