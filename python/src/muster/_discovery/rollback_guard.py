"""Protects one reader of one mesh against rollback."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from muster._base.times import unix_seconds
from muster._discovery.errors import DiscoveryError

if TYPE_CHECKING:
    from muster._answers.discovery import Checkpoint, PointerList, PointerView, RemovedPointer
    from muster._discovery.statements import StatementKind, Verifier

_NOT_SIGNED = "not signed with the mesh's signing key"
_NEWER_SEEN = "a newer statement about this pointer was seen before, or its epoch has ended"
_NO_TOTALS = "the server does not say how many peers are published: it is older than this client, or leaves that out"


class RollbackGuard:
    """Accepts a statement only if the mesh signed it and the reader has not seen a newer one about the same ID, at any replica."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._seen: dict[str, tuple[int, int]] = {}
        """The highest sequence number seen for each ID, and its epoch."""
        self._checkpoint: Checkpoint | None = None
        self._first_epoch = 0

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs under which peers are published, by the newest checkpoint."""
        return () if self._checkpoint is None else self._checkpoint.epochs

    def accept_list(self, page: PointerList, now: float, max_age: float) -> None:
        """Accept one answer with pointers: everything in it is signed, and nothing is older than what was seen before or than allowed."""
        checkpoint, totals = page.checkpoint, page.totals
        self.accept_checkpoint(checkpoint)
        age = now - (unix_seconds(checkpoint.issued_at) or 0)
        if age > max_age:
            raise DiscoveryError("directory_old", _age_text(checkpoint.issued_at, age, max_age))
        if totals is None:
            raise DiscoveryError("list_incomplete", _NO_TOTALS)
        if (totals.seq, totals.issued_at) != (checkpoint.seq, checkpoint.issued_at):
            detail = "the totals do not belong to the checkpoint"
            raise DiscoveryError("statement_forged", detail)
        self._verify("totals", totals)
        for pointer in page.pointers:
            self._verify("pointer", pointer)
        for pointer in page.pointers:
            self._check_newest(pointer)

    def accept_pointer(self, pointer: PointerView, now: float) -> None:
        """Accept a pointer."""
        self._verify("pointer", pointer)
        if (unix_seconds(pointer.expires_at) or 0) <= now:
            detail = f"the pointer expired at {pointer.expires_at}"
            raise DiscoveryError("pointer_expired", detail)
        self._check_newest(pointer)

    def accepts_removal(self, removal: RemovedPointer) -> bool:
        """Whether the mesh has signed a removal, and the reader has seen nothing newer."""
        try:
            self._verify("removal", removal)
            self._check_newest(removal)
        except DiscoveryError:
            return False
        return True

    def accept_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Accept a checkpoint. Epochs that it no longer lists have ended."""
        self._verify("checkpoint", checkpoint)
        before = 0 if self._checkpoint is None else self._checkpoint.seq
        if checkpoint.seq < before:
            detail = f"this copy ends at {checkpoint.seq}, but {before} was seen before"
            raise DiscoveryError("statement_old", detail)
        self._checkpoint = checkpoint
        if checkpoint.epochs:
            self._first_epoch = max(self._first_epoch, min(checkpoint.epochs))
        self._seen = {
            pointer_id: (seq, epoch)
            for pointer_id, (seq, epoch) in self._seen.items()
            if epoch >= self._first_epoch
        }

    def _verify(self, kind: StatementKind, statement: object) -> None:
        if not self._verifier.signed(kind, dataclasses.asdict(statement)):  # type: ignore[call-overload]
            raise DiscoveryError("statement_forged", _NOT_SIGNED)

    def _check_newest(self, statement: PointerView | RemovedPointer) -> None:
        seen, _ = self._seen.get(statement.id, (0, 0))
        if statement.epoch < self._first_epoch or statement.seq < seen:
            raise DiscoveryError("statement_old", _NEWER_SEEN)
        self._seen[statement.id] = (statement.seq, statement.epoch)


def _age_text(issued_at: str, age: float, max_age: float) -> str:
    limit = f"at most {round(max_age)} s are accepted (max_age); check also this machine's clock"
    return f"the mesh signed this list at {issued_at}, {round(age)} s ago; {limit}"
