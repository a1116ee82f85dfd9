"""Handlers: how they are declared, and where they run."""
