"""What a peer may say of itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from muster._protocol.constants import CAPABILITIES_MAX, EVERY_KIND, KINDS_PER_PEER_MAX, SLOTS_MAX
from muster._protocol.inbound_types import ROLES, Role
from muster.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muster._handlers.handlers import HandlerSpec

_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_ -]{0,62}[A-Za-z0-9])?)?")
_CAPABILITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=+-]{0,63}")


def check_name(name: object) -> str:
    """Return a peer's name. Raises `OptionsError` if it is not valid."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    text = (
        "a name is empty, or 1 to 64 letters, digits, '-', '_' and space, "
        f"beginning and ending with a letter or digit; not {name!r:.80}"
    )
    raise OptionsError(text)


def check_role(role: object) -> Role:
    """Return a peer's role. Raises `OptionsError` if there is no such role."""
    for known in ROLES:
        if role == known:
            return known
    raise OptionsError(f"a role is one of {', '.join(ROLES)}; not {role!r:.80}")


def check_slots(slots: object) -> int:
    """Return how many tasks run at once. Raises `OptionsError` if that is no such number."""
    if isinstance(slots, int) and not isinstance(slots, bool) and 0 <= slots <= SLOTS_MAX:
        return slots
    raise OptionsError(f"slots: must be between 0 and {SLOTS_MAX}, not {slots!r:.80}")


def check_capabilities(capabilities: Iterable[Any]) -> tuple[str, ...]:
    """Return a peer's labels. Raises `OptionsError` if one is not valid."""
    if isinstance(capabilities, str):
        raise OptionsError(f"capabilities is a list of labels: [{capabilities!r:.80}]")
    labels = tuple(capabilities)
    if len(labels) > CAPABILITIES_MAX:
        text = f"a peer has at most {CAPABILITIES_MAX} capabilities, not {len(labels)}"
        raise OptionsError(text)
    for label in labels:
        if not isinstance(label, str) or not _CAPABILITY.fullmatch(label):
            text = f"a capability is 1 to 64 letters, digits and . _ : / = + -; not {label!r:.80}"
            raise OptionsError(text)
    return labels


def selected(
    specs: Mapping[str, HandlerSpec], kinds: Sequence[str] | None
) -> dict[str, HandlerSpec]:
    """Return the handlers of a peer that takes only these kinds; None takes every kind that has a handler.

    Raises `OptionsError` if a kind has none.
    """
    if kinds is None:
        return dict(specs)
    if isinstance(kinds, str):
        raise OptionsError(f"kinds is a list of kinds: [{kinds!r:.80}]")
    return {kind: _handler_of(specs, kind) for kind in kinds}


def _handler_of(specs: Mapping[str, HandlerSpec], kind: str) -> HandlerSpec:
    spec = specs.get(kind, specs.get(EVERY_KIND))
    if spec is None:
        known = ", ".join(specs) or "no kind"
        raise OptionsError(f"kinds: there is no handler for {kind}, only for {known}")
    return spec


def kinds_of(specs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kinds that a peer with these handlers announces. More than the mesh takes are announced as every kind."""
    kinds = tuple(specs)
    return (EVERY_KIND,) if len(kinds) > KINDS_PER_PEER_MAX else kinds
