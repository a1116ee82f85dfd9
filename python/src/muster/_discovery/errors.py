"""What can't be read of discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from muster._stmf.errors import StmfError, StmfErrorCode
from muster.errors import MusterApiError, MusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from muster._answers.discovery import PeerRecord

DiscoveryErrorCode: TypeAlias = (
    StmfErrorCode
    | Literal[
        "statement_forged",
        "statement_old",
        "pointer_expired",
        "directory_old",
        "list_incomplete",
        "signing_key_changed",
        "epoch_unknown",
    ]
)


class DiscoveryError(MusterError):
    """A pointer, record or checkpoint did not verify, or is too old. Tell errors apart by `code`.

    - `statement_forged`: not signed with the mesh's signing key
    - `statement_old`: a newer statement about the same ID was seen before, or its epoch has ended
    - `pointer_expired`: the pointer has expired
    - `directory_old`: the list was signed longer ago than the reader accepts
    - `list_incomplete`: the source returned fewer pointers than the mesh has published, or its pages do not follow each other
    - `signing_key_changed`: the source of the keys returned another signing key than at first: this is another mesh
    - `epoch_unknown`: the reader has no key of the pointer's epoch
    - `identity_mismatch`: the record's ID does not belong to its key or to the pointer
    - `blob_missing` and the others: see `StmfError`
    """

    def __init__(self, code: DiscoveryErrorCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: DiscoveryErrorCode = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class DiscoveryFailure:
    """How many entries could not be opened for one reason."""

    code: str
    """The code of a `DiscoveryError`, or of a `MusterApiError` (`unreachable`, `unavailable`, …)."""
    detail: str
    """The detail of the newest error of this code."""
    entries: int
    """The entries concerned; 0 if the error concerns the list itself."""


@dataclass(frozen=True, slots=True)
class Degraded:
    """What of discovery can't be read at the moment."""

    missing: int | None
    """How many published entries could not be opened; None if it is unknown because the list can't be read."""
    failures: tuple[DiscoveryFailure, ...]


class DiscoveryIncomplete(MusterError):  # noqa: N818 - the name of the SDK for TypeScript
    """Some published peers could not be read. `peers` are those that could: the others exist, too."""

    code = "discovery_incomplete"

    def __init__(self, peers: Sequence[PeerRecord], degraded: Degraded) -> None:
        super().__init__(degraded_text(degraded))
        self.peers = tuple(peers)
        self.degraded = degraded


_FAILURES_MAX = 16
"""The reasons that are reported, at most. Further ones are left out; `missing` counts their entries."""


def failures_of(errors: Iterable[BaseException]) -> tuple[DiscoveryFailure, ...]:
    """The failures of some entries, by their code."""
    by_code: dict[str, DiscoveryFailure] = {}
    for error in errors:
        failure = _failure_of(error, 1)
        before = by_code.get(failure.code)
        entries = 1 if before is None else before.entries + 1
        by_code[failure.code] = DiscoveryFailure(failure.code, failure.detail, entries)
    return tuple(by_code.values())[:_FAILURES_MAX]


def list_failure(error: BaseException) -> DiscoveryFailure:
    """The failure of the list itself."""
    return _failure_of(error, 0)


def _failure_of(error: BaseException, entries: int) -> DiscoveryFailure:
    if isinstance(error, DiscoveryError | StmfError | MusterApiError):
        return DiscoveryFailure(error.code, error.detail, entries)
    return DiscoveryFailure("failed", str(error), entries)


def degraded_text(degraded: Degraded) -> str:
    """One line: how many entries are missing, and why."""
    reasons = "; ".join(
        f"{f'{each.entries} of ' if each.entries > 0 else ''}{each.code}: {each.detail}"
        for each in degraded.failures
    )
    missing = degraded.missing
    if missing is None:
        what = "the list of peers can't be read"
    else:
        what = f"{missing} published {'peer' if missing == 1 else 'peers'} can't be read"
    return f"{what} ({reasons})"
