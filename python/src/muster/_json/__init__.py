"""JSON that passes through Muster unchanged."""

from muster._json.flaw import JsonFlaw
from muster._json.read import Json, payload_of, read_json
from muster._json.text import JsonText
from muster._json.values import json_of_value

__all__ = ["Json", "JsonFlaw", "JsonText", "json_of_value", "payload_of", "read_json"]
