"""Reads the fields of a message that a mesh sent. Unknown fields are skipped: a newer mesh may send more."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

_LARGEST = sys.float_info.max
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_PEER_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[0-9a-f]{64}")


class BadMessage(ValueError):  # noqa: N818 - no error of a program: the message is ignored
    """A message is not of its type."""


class Fields:
    """The members of an object in a message."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise BadMessage(f"{what} is no object")
        self._members: dict[str, Any] = value
        self._what = what

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._members

    def any(self, name: str) -> Any:
        """Return a member of any value; None if it is absent."""
        return self._members.get(name)

    def object(self, name: str) -> Fields:
        """Return a member that is an object."""
        return Fields(self._members.get(name), f"{self._what}.{name}")

    def list(self, name: str, most: int) -> list[Any]:
        """Return a member that is a list of at most so many values."""
        value = self._members.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self._error(name, f"a list of at most {most}")
        return value

    def text(self, name: str, most: int = 2_000) -> str:
        """Return a member that is a text of at most so many characters."""
        value = self._members.get(name)
        if not isinstance(value, str) or len(value) > most:
            raise self._error(name, f"a text of at most {most} characters")
        return value

    def shortened(self, name: str, most: int, default: str | None = None) -> str:
        """Return the first characters of a text of any length."""
        value = self._members.get(name, default)
        if not isinstance(value, str):
            raise self._error(name, "a text")
        return value[:most].encode("utf-8", "replace").decode("utf-8")

    def number(self, name: str, least: float = -math.inf, most: float = math.inf) -> float:
        """Return a member that is a number in a range."""
        value: Any = self._members.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # A comparison takes integers that no float holds, and is false for what is no number.
        if not is_number or not max(least, -_LARGEST) <= value <= min(most, _LARGEST):
            raise self._error(name, "a number in its range")
        return float(value)

    def positive(self, name: str) -> float:
        """Return a member that is a number above 0."""
        value = self.number(name, 0)
        if value == 0:
            raise self._error(name, "above 0")
        return value

    def integer(self, name: str, least: int, most: int = 2**53 - 1) -> int:
        """Return a member that is an integer in a range."""
        value = self._members.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self._error(name, f"an integer from {least} to {most}")
        return value

    def boolean(self, name: str) -> bool:
        """Return a member that is true or false."""
        value = self._members.get(name)
        if not isinstance(value, bool):
            raise self._error(name, "true or false")
        return value

    def uuid(self, name: str) -> str:
        """Return a member that is a UUID."""
        return self._matching(name, _UUID, "a UUID")

    def peer_id(self, name: str) -> str:
        """Return a member that is the ID of a peer."""
        return self._matching(name, _PEER_ID, "a peer ID")

    def key(self, name: str) -> str:
        """Return a member that is a public key in hex."""
        return self._matching(name, _KEY, "a public key")

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a member that matches a pattern."""
        return self._matching(name, pattern, "of its form")

    def _matching(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        value = self._members.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._error(name, what)
        return value

    def _error(self, name: str, what: str) -> BadMessage:
        return BadMessage(f"{self._what}.{name} must be {what}")
