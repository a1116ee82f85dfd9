"""Why a server could not be reached, in words."""

from __future__ import annotations

import asyncio
import socket
import ssl


def reason_of(error: BaseException) -> str:
    """Return what went wrong, and what to check."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, asyncio.TimeoutError):
            return "no answer in time"
        if isinstance(cause, ssl.SSLError):
            said = getattr(cause, "verify_message", "") or cause.reason or str(cause)
            return f"TLS failed ({said}); check its certificate and the https:// in the URL"
        if isinstance(cause, socket.gaierror):
            return "the name of its host is not known; check the URL"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused; is the mesh running at this address?"
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "the connection broke off"
    shown = next((str(cause) for cause in reversed(causes) if str(cause)), type(error).__name__)
    return shown[:200]


def _causes(error: BaseException) -> list[BaseException]:
    """The error, and what it was raised for, also of those that were raised for several."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _CAUSES_MAX:
        current = waiting.pop(0)
        if current in found:
            continue
        found.append(current)
        waiting += [each for each in (current.__cause__, current.__context__) if each is not None]
        waiting += getattr(current, "exceptions", ())
    return found


_CAUSES_MAX = 20
