from __future__ import annotations

import pytest

from muster._base.redact import redact, redact_url
from muster._http.urls import api_base, connect_url, host_of, is_loopback, read_mesh_link
from muster.errors import OptionsError

KEY = "ab" * 32


@pytest.mark.parametrize(
    ("url", "base", "socket", "host"),
    [
        ("https://mesh.example", "https://mesh.example/", "wss://mesh.example/v1/connect", None),
        ("wss://mesh.example/", "https://mesh.example/", "wss://mesh.example/v1/connect", None),
        ("http://h:80/a?x#y", "http://h/a/", "ws://h/a/v1/connect", "h"),
        ("https://h:443", "https://h/", "wss://h/v1/connect", "h"),
        ("http://h:443", "http://h:443/", "ws://h:443/v1/connect", "h:443"),
        (
            "ws://[::1]:8787/a/",
            "http://[::1]:8787/a/",
            "ws://[::1]:8787/a/v1/connect",
            "[::1]:8787",
        ),
        ("https://Mesh.EXAMPLE", "https://mesh.example/", "wss://mesh.example/v1/connect", None),
        ("https://bücher.example", "https://xn--bcher-kva.example/", None, "xn--bcher-kva.example"),
    ],
)
def test_the_urls_of_a_mesh(url: str, base: str, socket: str | None, host: str | None) -> None:
    assert api_base(url) == base
    assert connect_url(url) == (socket or connect_url(url))
    assert host_of(url) == (host or "mesh.example")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mesh.example",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h:x",
        "http://a b/",
        "//h",
    ],
)
def test_what_is_no_url_of_a_mesh_is_refused(url: str) -> None:
    with pytest.raises(OptionsError, match="not the URL of a mesh"):
        api_base(url)


def test_a_url_with_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(OptionsError) as found:
        api_base("https://user:pa55@mesh.example/")
    assert "pa55" not in str(found.value)
    with pytest.raises(OptionsError) as found:
        api_base("ftp://user:pa55@mesh.example/?proof=pa55#pa55")
    assert "pa55" not in str(found.value)


@pytest.mark.parametrize(
    ("link", "url", "join"),
    [
        (f"muster://mesh.example/#{KEY}", "https://mesh.example/", None),
        (f"muster://mesh.example/a/#{KEY}&join=mjk_1", "https://mesh.example/a/", "mjk_1"),
        (f"muster://127.0.0.1:8787/#{KEY}&x=1", "http://127.0.0.1:8787/", None),
        (f"muster://localhost:1/#{KEY}", "http://localhost:1/", None),
        (f"muster://[::1]/#{KEY}", "http://[::1]/", None),
        (f"muster://127.0.0.1.example/#{KEY}", "https://127.0.0.1.example/", None),
    ],
)
def test_a_link_names_mesh_and_keys(link: str, url: str, join: str | None) -> None:
    read = read_mesh_link(link)
    assert read is not None
    assert (read.url, read.mesh_key, read.join_key) == (url, KEY, join)
    assert "mjk_1" not in repr(read)


def test_what_is_no_link_is_left_alone_and_a_broken_link_is_refused() -> None:
    assert read_mesh_link("https://mesh.example/#x") is None
    for link in ("muster://", "muster://h", "muster://h/#", "muster:///#aa", "muster://h:x/#aa"):
        with pytest.raises(OptionsError):
            read_mesh_link(link)
    with pytest.raises(OptionsError, match="64 hex"):
        read_mesh_link("muster://h/#abc")


def test_loopback_is_told_from_names_that_look_like_it() -> None:
    assert is_loopback("http://127.1.2.3:1")
    assert is_loopback("http://[::1]:1")
    assert is_loopback("http://a.localhost")
    for url in ("http://127.0.0.1.example", "http://localhost.example", "http://10.0.0.1"):
        assert not is_loopback(url)


def test_secrets_are_redacted() -> None:
    text = "GET https://u:p@h/a?proof=1#f and /v1/connect?proof=2 with mst_0123456789abcdef0"
    assert redact(text) == "GET https://h/a and /v1/connect with mst_…"
    assert redact_url("u:p@h?x") == "u:h"
