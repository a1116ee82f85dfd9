"""The URLs of a mesh."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from muster._base.redact import redact_url
from muster._crypto.identity import public_key_hex
from muster.errors import OptionsError

_HTTP_SCHEME = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def api_base(url: str) -> str:
    """Return the base URL of a mesh's HTTP API, ending in a slash. Raises `OptionsError` if the URL is not that of a mesh."""
    parts = _mesh_url(url)
    return f"{_HTTP_SCHEME[parts.scheme]}://{_authority(parts)}{_folder(parts.path)}"


def connect_url(url: str) -> str:
    """Return the WebSocket URL of a mesh, without its query. Raises as `api_base`."""
    return f"ws{api_base(url).removeprefix('http')}v1/connect"


def host_of(url: str) -> str:
    """Return host and port of a URL as the connect proof has them: a default port is left out."""
    return _authority(_mesh_url(url))


def is_loopback(url: str) -> bool:
    """Whether a URL is that of this machine."""
    host = _mesh_url(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class MeshLink:
    """What a new peer needs to join: the mesh's URL, the key that it must prove, and optionally a join key."""

    url: str
    mesh_key: str
    join_key: str | None = field(repr=False)


def read_mesh_link(text: str) -> MeshLink | None:
    """Parse `muster://HOST/#MESHKEY` or `muster://HOST/#MESHKEY&join=JOINKEY`.

    The keys are in the fragment because clients do not send it to servers. The link means https, or http for a mesh on this machine.
    Returns None if the text is not a `muster://` link; raises `OptionsError` if the link is not valid.
    """
    if not text.startswith("muster://"):
        return None
    parts = _split(text)
    if parts is None:
        raise OptionsError("this muster:// link is not a valid URL; copy the whole link")
    key, *rest = parts.fragment.split("&")
    if not parts.hostname or key == "":
        raise OptionsError(
            "a muster:// link has the form muster://HOST/#MESHKEY; copy the whole link"
        )
    join = next((part.removeprefix("join=") for part in rest if part.startswith("join=")), None)
    host = _authority(parts)
    scheme = "http" if is_loopback(f"http://{host}") else "https"
    return MeshLink(f"{scheme}://{host}{parts.path}", public_key_hex(key), join)


def _mesh_url(url: str) -> SplitResult:
    parts = _split(url)
    if parts is None or parts.scheme not in _HTTP_SCHEME or not parts.hostname:
        raise OptionsError(
            f'"{redact_url(url)}" is not the URL of a mesh: it must begin with http:// or https://'
        )
    if parts.username is not None or parts.password is not None:
        raise OptionsError("the URL of a mesh has no user and no password; pass a token instead")
    return parts


def _split(url: str) -> SplitResult | None:
    if any(char <= " " or char == "\x7f" for char in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    return parts


_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def _authority(parts: SplitResult) -> str:
    host = _ascii_host(parts.hostname or "")
    shown = f"[{host}]" if ":" in host else host
    port = parts.port
    return shown if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f"{shown}:{port}"


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise OptionsError(f'"{host}" is not the name of a host') from None


def _folder(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"
