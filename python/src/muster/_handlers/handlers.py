"""How handlers are declared."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from muster._protocol.constants import EVERY_KIND
from muster.errors import OptionsError

if TYPE_CHECKING:
    from types import ModuleType

RunIn = Literal["thread", "process"]
"""Where a synchronous handler runs."""
Handler: TypeAlias = Callable[..., Any]
"""Runs one attempt of a task: `handler(payload)` or `handler(payload, context)`, asynchronous or not.

What it returns is the result and must be JSON, or a `JsonText`. An exception fails the attempt, and the mesh tries again, here or on
another peer, unless it is a `FinalError`. Payloads are not validated: a handler receives whatever JSON the task was submitted with.
"""
F = TypeVar("F", bound=Handler)

_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_DECLARED = "__muster_handler__"


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A handler, and how it is called."""

    function: Handler
    run_in: Literal["loop", "thread", "process"]
    takes_context: bool

    def call(self, payload: Any, context: Any) -> Any:
        """Call the handler."""
        return self.function(payload, context) if self.takes_context else self.function(payload)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@handler` notes on a function."""

    kinds: tuple[str, ...]
    run_in: RunIn | None


def handler(*kinds: str, run_in: RunIn | None = None) -> Callable[[F], F]:
    """Declare a function of a module as the handler of some kinds of task; `*` stands for every kind without one.

    Without `run_in`, an asynchronous handler runs in the event loop of the program, and any other one in a thread.
    """
    if not kinds:
        raise OptionsError('name the kind: @muster.handler("resize")')
    for kind in kinds:
        check_kind(kind)

    def declare(function: F) -> F:
        spec_of(function, run_in)  # raises if it can't be called
        declared: list[Declaration] = getattr(function, _DECLARED, [])
        setattr(function, _DECLARED, [*declared, Declaration(kinds, run_in)])
        return function

    return declare


def spec_of(function: Any, run_in: RunIn | None = None) -> HandlerSpec:
    """Return how a handler is called. Raises `OptionsError` if it can't be."""
    if isinstance(function, HandlerSpec):
        return function
    if not callable(function):
        raise OptionsError(f"a handler is a function, not {type(function).__name__}")
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - the method's kind matters
    )
    if run_in not in (None, "thread", "process"):
        raise OptionsError(f'run_in is "thread" or "process", not {run_in!r}')
    if is_async and run_in is not None:
        text = f"an asynchronous handler runs in the event loop: leave run_in={run_in!r} out, or use a plain function"
        raise OptionsError(text)
    return HandlerSpec(
        function, "loop" if is_async else run_in or "thread", _takes_context(function)
    )


def _takes_context(function: Handler) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False  # a function of C that has no signature gets the payload
    for arguments, takes_context in (((None, None), True), ((None,), False)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return takes_context
    name = getattr(function, "__qualname__", type(function).__name__)
    text = f"a handler takes the payload, or the payload and the context of its task; not {name}{signature}"
    raise OptionsError(text)


def check_kind(kind: object) -> str:
    """Return a kind. Raises `OptionsError` if it is none."""
    if not isinstance(kind, str) or not (kind == EVERY_KIND or _KIND.fullmatch(kind)):
        text = (
            f"a kind is 1 to 64 letters, digits and . _ / -, or * for every kind; not {kind!r:.80}"
        )
        raise OptionsError(text)
    return kind


def handlers_of(module: ModuleType) -> dict[str, HandlerSpec]:
    """Return the handlers that a module declares by `@muster.handler`, or as `handlers`, by kind. Raises `OptionsError`."""
    specs: dict[str, HandlerSpec] = {}
    table = getattr(module, "handlers", None)
    if isinstance(table, Mapping):
        specs.update(specs_of(table))
    for value in list(vars(module).values()):
        for declared in _declarations(value):
            for kind in declared.kinds:
                if kind in specs and specs[kind].function is not value:
                    raise OptionsError(f"the module has two handlers for {kind}")
                specs[kind] = spec_of(value, declared.run_in)
    if not specs:
        text = 'the module has no handlers: declare them by @muster.handler("kind"), or as handlers = {"kind": function}'
        raise OptionsError(text)
    return specs


def _declarations(value: object) -> list[Declaration]:
    found = getattr(value, _DECLARED, None) if callable(value) else None
    return found if isinstance(found, list) else []


def specs_of(handlers: Mapping[str, Any]) -> dict[str, HandlerSpec]:
    """Return handlers by kind. A function that `@muster.handler` declares keeps what it says. Raises `OptionsError`."""
    if not isinstance(handlers, Mapping):
        text = f"handlers are a mapping of functions by kind, not {type(handlers).__name__}"
        raise OptionsError(text)
    specs = {}
    for kind, function in handlers.items():
        run_in = next((each.run_in for each in _declarations(function)), None)
        specs[check_kind(kind)] = spec_of(function, run_in)
    return specs
