"""Requests to the HTTP API of a mesh."""
