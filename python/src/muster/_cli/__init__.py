"""The command line: `python -m muster join`."""
