from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import muster
from muster._client.options import check_options
from muster._client.submission import submission
from muster._client.task_options import RunOptions, SubmitAndWaitOptions
from muster._json import read_json

MESH = "http://127.0.0.1:9"
NOW = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_attempt": 3}, "has no option `max_attempt`; did you mean `max_attempts`?"),
        ({"priority": "5"}, "`priority` of tasks.submit is an integer, not another string"),
        ({"priority": 1.5}, "`priority` of tasks.submit is an integer, not a float"),
        ({"priority": True}, "`priority` of tasks.submit is an integer, not a bool"),
        ({"min_score": float("nan")}, "`min_score` of tasks.submit is a number, not NaN"),
        ({"lease_seconds": None}, "`lease_seconds` of tasks.submit is a number, not None"),
        ({"capabilities": "gpu"}, "`capabilities` of tasks.submit is a list of strings"),
        ({"capabilities": [1]}, "`capabilities` of tasks.submit is a list of strings"),
        ({"role": "controller"}, "`role` of tasks.submit is one of worker, dual"),
        ({"not_before": NOW.replace(tzinfo=None)}, "not a datetime without a time zone"),
        ({"not_before": "2026"}, "is a datetime with a time zone, not another string"),
        ({"backoff": {"first": 1}}, "has no option `backoff.first`"),
        ({"backoff": {"first_seconds": "1"}}, "`backoff.first_seconds` of tasks.submit"),
        ({"concurrency": {"key": "a"}}, "tasks.submit needs `concurrency.limit`"),
        ({"callback": "https://x"}, "`callback` of tasks.submit is a dict"),
        ({"seal_to": 5}, "`seal_to` of tasks.submit is a string or bytes"),
        ({"a": 1, "b": 2}, "has no option `a`; tasks.submit has no option `b`"),
    ],
)
def test_py41_names_everything_that_is_wrong_with_options(options: Any, message: str) -> None:
    with pytest.raises(muster.OptionsError) as raised:
        check_options("tasks.submit", options, SubmitAndWaitOptions)
    assert message in str(raised.value)


async def test_py41_nothing_is_sent_if_an_option_is_wrong() -> None:
    # Nothing listens there: a request would raise another error.
    async with muster.controller(MESH) as mesh:
        wrong: Any = {"no_such_option": 1}
        for call in (
            mesh.tasks.submit, mesh.tasks.run, mesh.run, mesh.tasks.wait, mesh.tasks.retry,
            mesh.tasks.list, mesh.events, mesh.allowlist.put, mesh.denylist.list, mesh.tokens.list,
            mesh.tokens.create, mesh.tokens.update, mesh.tokens.revoke, mesh.join_keys.create,
            mesh.peers.list, mesh.peers.revoke, mesh.peers.drain, mesh.dials.put, mesh.kinds.put,
            mesh.callbacks.secret, mesh.callbacks.rotate_secret, mesh.webhooks.remove,
            mesh.webhooks.deliveries, mesh.audit.list, mesh.settings.metrics, mesh.settings.drain,
            mesh.discovery.peers, mesh.discovery.discover, mesh.tasks.failures,
        ):  # fmt: skip
            method: Any = call
            first = () if method in LISTS else ("0" * 64,)
            with pytest.raises(muster.OptionsError, match="no_such_option"):
                await called(method, *first, **wrong)
        with pytest.raises(muster.OptionsError, match="outage"):
            await mesh.tasks.wait("x", outage=-1)
        misspelled: Any = {"kin": "a"}
        with pytest.raises(muster.OptionsError, match="needs `kind`"):
            await mesh.tasks.submit_batch([misspelled])
        number: Any = 5
        with pytest.raises(muster.OptionsError, match="no ID"):
            await mesh.tasks.get(number)
        with pytest.raises(muster.OptionsError, match="kin"):
            await mesh.tasks.cancel_many(misspelled)
        with pytest.raises(muster.OptionsError, match="a list of task IDs"):
            await mesh.tasks.cancel_many("all")


async def called(method: Any, *arguments: Any, **options: Any) -> Any:
    """Call a method, and wait for what it returns if that can be waited for."""
    return await method(*arguments, **options)


class _Lists:
    """Methods without a first argument, by their names."""

    NAMES = frozenset(
        {"list", "events", "create", "metrics", "drain", "peers", "discover", "failures"}
    )

    def __contains__(self, method: Any) -> bool:
        owner = type(method.__self__).__name__
        if method.__name__ == "create":
            return owner == "JoinKeysClient"
        if method.__name__ == "drain":
            return owner == "SettingsClient"
        return method.__name__ in self.NAMES


LISTS = _Lists()


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"a": [1, float("nan")]}, "payload.a[1]"),
        ({"id": 2**53}, "payload.id"),
        ([b"bytes"], "payload[0]"),
        ({"x": {1: 2}}, "payload.x"),
        ("\ud800", "payload"),
        ({1, 2}, "payload"),
    ],
)
async def test_py41_what_json_would_change_is_refused_with_its_path(
    payload: Any, path: str
) -> None:
    async with muster.controller(MESH) as mesh:
        for call in (
            lambda: mesh.tasks.submit("k", payload),
            lambda: mesh.run("k", payload),
            lambda: mesh.tasks.submit_batch([{"kind": "k", "payload": payload}]),
            lambda: mesh.peers.request("0" * 32, "get_stats", payload),
        ):
            with pytest.raises(muster.OptionsError) as raised:
                await call()
            assert f"{path}: " in str(raised.value)


def test_py41_a_submission_has_what_is_given_and_nothing_else() -> None:
    text = submission("resize", muster.JsonText("12345678901234567890"), {})
    assert text == '{"kind":"resize","requirements":{},"payload":12345678901234567890}'
    options: RunOptions = {
        "capabilities": ("gpu",),
        "near": {"latitude": 1, "longitude": 2},
        "not_before": NOW,
        "seal_to": bytes(32),
        "priority": 3,
        "concurrency": {"key": "k", "limit": 1},
        "backoff": {"first_seconds": 1},
        "callback": {"url": "https://example.com"},
    }
    assert read_json(submission("k", {"a": None}, options), 32) == {
        "kind": "k",
        "payload": {"a": None},
        "requirements": {"capabilities": ["gpu"], "near": {"latitude": 1, "longitude": 2}},
        "not_before": "2026-11-29T12:00:00.000Z",
        "seal_to": "0" * 64,
        "priority": 3,
        "concurrency": {"key": "k", "limit": 1},
        "backoff": {"first_seconds": 1},
        "callback": {"url": "https://example.com"},
    }


@given(st.dictionaries(st.text(), st.none() | st.text() | st.floats() | st.lists(st.text())))
def test_py41_any_options_are_taken_or_refused(options: dict[str, Any]) -> None:
    wrong = [name for name in options if name not in SubmitAndWaitOptions.__annotations__]
    if wrong:
        with pytest.raises(muster.OptionsError):
            check_options("tasks.submit", options, SubmitAndWaitOptions)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("mesh.example",), {}),
        (("ftp://mesh.example",), {}),
        (("https://user:secret@mesh.example",), {}),
        ((5,), {}),
        ((MESH, 5), {}),
        ((MESH,), {"mesh_key": "zz"}),
        ((MESH,), {"outage": -1}),
        ((MESH,), {"outage": "1"}),
        ((f"muster://127.0.0.1:9/#{'a' * 64}",), {"mesh_key": "b" * 64}),
        (("muster://127.0.0.1:9/",), {}),
    ],
)
def test_py41_a_controller_that_can_not_work_is_refused(arguments: Any, options: Any) -> None:
    with pytest.raises(muster.OptionsError) as raised:
        muster.controller(*arguments, **options)
    assert "secret" not in str(raised.value)


def test_py41_an_idempotency_key_is_checked() -> None:
    async def submit(key: str) -> None:
        async with muster.controller(MESH, outage=0) as mesh:
            await mesh.tasks.submit("k", idempotency_key=key)

    for wrong in ("", "  ", "ä", "a\nb", "x" * 256):
        with pytest.raises(muster.OptionsError, match="idempotency key"):
            asyncio.run(submit(wrong))
