"""Why no session of a mesh began."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

import httpx
from websockets.exceptions import InvalidHandshake

from muster._base.redact import redact_url
from muster._http.problem import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ConnectFailureCode = Literal[
    "unreachable",
    "tls_failed",
    "no_answer",
    "not_a_mesh",
    "redirected",
    "mesh_unavailable",
    "version_unsupported",
]
"""
- `unreachable`: no connection to the server; `system_code` says why (ECONNREFUSED, ENOTFOUND);
- `tls_failed`: the server's certificate is not trusted, or the server does not speak TLS;
- `no_answer`: the server took the connection and did not answer in time;
- `not_a_mesh`: what answers is no mesh: a page, another API, another protocol;
- `redirected`: the server redirects, which the SDK does not follow;
- `mesh_unavailable`: a mesh, or the proxy before it, says that it can't serve at present;
- `version_unsupported`: the mesh does not speak muster/2.
"""


@dataclass(frozen=True, slots=True)
class ConnectFailure:
    """A value, so that programs can tell the reasons apart. `message` is for people, and names the URL."""

    code: ConnectFailureCode
    message: str
    system_code: str | None = None
    """The error code of the system."""
    status: int | None = None
    """The HTTP status of what answered."""


def failure_of_error(url: str, error: BaseException, timeout: float) -> ConnectFailure:
    """Return the reason why a server did not answer as HTTP servers do."""
    base = redact_url(url)
    causes = list(_causes_of(error))
    if any(isinstance(each, asyncio.TimeoutError | httpx.TimeoutException) for each in causes):
        return ConnectFailure("no_answer", f"{base} did not answer within {timeout:g} s")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            reason = cause.reason or type(cause).__name__
            text = (
                f"cannot reach {base}: the TLS of the server is not trusted or not valid ({reason})"
            )
            return ConnectFailure("tls_failed", text, reason)
        code = _system_code(cause)
        if code is not None:
            return ConnectFailure("unreachable", f"cannot reach {base} ({code})", code)
    if any(isinstance(each, EOFError) or _is_hang_up(each) for each in causes):
        return ConnectFailure("unreachable", f"cannot reach {base} (the server hung up)")
    if any(isinstance(each, InvalidHandshake | httpx.RemoteProtocolError) for each in causes):
        return ConnectFailure(
            "not_a_mesh", f"{base} is no Muster mesh: the server does not speak HTTP"
        )
    return ConnectFailure("unreachable", f"cannot reach {base}")


def _is_hang_up(error: BaseException) -> bool:
    """Whether a server closed the connection instead of an answer. httpx says so in words only."""
    return isinstance(error, httpx.RemoteProtocolError) and "disconnected" in str(error)


_CAUSES_MAX = 10


def _causes_of(error: BaseException) -> Iterator[BaseException]:
    """Return an error and what caused it. Of several attempts, such as one per address of a host, the first."""
    at: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if at is None:
            return
        yield at
        attempts = getattr(at, "exceptions", ())
        at = at.__cause__ or (attempts[0] if attempts else None) or at.__context__


def _system_code(error: BaseException) -> str | None:
    if isinstance(error, socket.gaierror):
        return "ENOTFOUND"
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno)
    return None


_UNAVAILABLE = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530})
"""What proxies answer when the server behind them does not."""
_MEDIA_TYPE = re.compile(r"[\w.+/-]{1,80}", re.ASCII)


def failure_of_answer(
    url: str, status: int, headers: Mapping[str, str], body: bytes
) -> ConnectFailure:
    """Return the reason why an answer is none of a mesh that serves."""
    base = redact_url(url)
    if 300 <= status < 400:  # noqa: PLR2004 - the redirects of HTTP
        location = headers.get("location", "")
        target = f" to {redact_url(urljoin(url, location))}" if location else ""
        text = f"{base} redirects{target}; use the URL of the mesh itself"
        return ConnectFailure("redirected", text, status=status)
    problem = problem_of(body)
    if problem is not None:
        text = f"{base} answers {problem['code']}: {problem['detail']}"
        return ConnectFailure("mesh_unavailable", text, status=status)
    if status in _UNAVAILABLE:
        text = f"{base} answers HTTP {status}: the mesh behind the server is not available"
        return ConnectFailure("mesh_unavailable", text, status=status)
    media_type = headers.get("content-type", "").split(";")[0].strip()
    shown = media_type if _MEDIA_TYPE.fullmatch(media_type) else "no media type"
    text = f"{base} is no Muster mesh (HTTP {status}, {shown})"
    return ConnectFailure("not_a_mesh", text, status=status)
