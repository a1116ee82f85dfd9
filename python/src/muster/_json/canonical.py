"""The canonical form of a JSON value (RFC 8785), for everything that is signed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """Members sorted by the UTF-16 units of their names, no spaces, numbers and strings as ECMAScript writes them.

    Raises `ValueError` for what JSON does not hold.
    """
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: str(name).encode("utf-16-be", "surrogatepass"))
        members = (f"{_string(name)}:{canonical_json(value[name])}" for name in names)
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical_json, value))}]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, str):
        return _string(value)
    return _number(value)


def _string(text: str) -> str:
    """ECMAScript escapes halves of surrogate pairs, and leaves DEL and the line separators as they are."""
    written = json.dumps(text, ensure_ascii=False)
    if written.isascii():
        return written
    return "".join(
        f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else char for char in written
    )


_SAFE_INTEGER_MAX = 2**53 - 1
_FIXED_MAX = 21
_FIXED_MIN = -7


def _number(value: float) -> str:
    """A number as `String` of ECMAScript writes it: the shortest digits that read back as the same double."""
    if isinstance(value, int) and abs(value) <= _SAFE_INTEGER_MAX:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("no double holds this number") from None
    if not math.isfinite(number):
        raise ValueError("JSON has no NaN and no infinity")
    if number == 0:
        return "0"
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    if whole.strip("0") == "":
        point -= len(whole) + len(fraction) - len(digits)
    else:
        point -= len(whole) - len(whole.lstrip("0"))
    digits = digits.rstrip("0")
    sign = "-" if number < 0 else ""
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """The digits with the decimal point after so many of them (ECMA-262, Number::toString)."""
    count = len(digits)
    if count <= point <= _FIXED_MAX:
        return digits + "0" * (point - count)
    if 0 < point <= _FIXED_MAX:
        return f"{digits[:point]}.{digits[point:]}"
    if _FIXED_MIN + 1 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"{digits[0]}{'.' if count > 1 else ''}{digits[1:]}{exponent}"
