"""The exceptions of the SDK. Each has a `code`, the same as in the SDK for TypeScript."""

from __future__ import annotations

from typing import Any, Literal

PeerErrorCode = Literal[
    "mesh_key_mismatch",
    "mesh_unproved",
    "handshake_refused",
    "not_allowed",
    "revoked",
    "rotated",
    "join_key_invalid",
    "downgrade_refused",
    "superseded",
    "rotation_failed",
    "rotation_unknown",
    "handlers_not_loaded",
    "closed",
]


class MusterError(Exception):
    """The base of every exception that the SDK raises by itself."""

    code: str


class InsecureWarning(UserWarning):
    """A token travels without encryption."""


class MissingCellsWarning(UserWarning):
    """Cells of the mesh do not answer: an answer lacks what they have, or an act has not reached them."""


class OptionsError(MusterError, ValueError):
    """An argument is not valid. Raised before anything was done."""

    code = "invalid_options"


class PeerError(MusterError):
    """Why a peer is not, or no longer, part of the mesh.

    After each of these the peer does not reconnect:

    - `mesh_key_mismatch`: the mesh has another key than the pinned one;
    - `mesh_unproved`: the server did not prove the key that it claims;
    - `handshake_refused`: the mesh refused the handshake;
    - `not_allowed`, `revoked`: the mesh does not admit this key;
    - `rotated`: the peer has another key now, and this one is barred;
    - `join_key_invalid`: the join key is unknown, expired, revoked or used up;
    - `downgrade_refused`: this key may not connect by the protocol that it used;
    - `superseded`: a newer session of the same key is active;
    - `handlers_not_loaded`: the module with the handlers can't be loaded, or has none;
    - `closed`: the peer was closed before the first welcome.

    `Peer.rotate` alone raises `rotation_failed` (the peer keeps its key and its session) and `rotation_unknown` (the peer ended before
    the mesh answered: either key may be valid, so keep both).
    """

    def __init__(self, code: PeerErrorCode, message: str, task_id: str | None = None) -> None:
        super().__init__(_with_task_id(message, task_id))
        self.code = code
        self.task_id = task_id


class TaskError(MusterError):
    """Raised by a handler: with `retry=False` the failure is final. After any other exception the mesh tries again."""

    code = "task_error"

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


class FinalError(TaskError):
    """Raised by a handler: the task has failed, and the mesh does not try again."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry=False)


class MusterApiError(MusterError):
    """The mesh refused a request, over HTTP or over a session.

    `code` is the code of the problem document, or one of the SDK's own: `unreachable` (no answer in time), `invalid_response` (the answer
    is not one of the API, or not signed by the mesh), `mesh_unproved` (the server does not hold the pinned mesh key).
    """

    def __init__(
        self,
        code: str,
        status: int,
        detail: str,
        *,
        retry_after: float | None = None,
        help_url: str | None = None,
        task_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        repeat = (
            ""
            if idempotency_key is None
            else f' (the task may have been submitted; submit it again with idempotency_key="{idempotency_key}")'
        )
        super().__init__(f"{code}: {_with_task_id(detail, task_id)}{repeat}")
        self.code = code
        self.status = status
        """The HTTP status, also of requests over a session; 0 if there was no answer."""
        self.detail = detail
        self.retry_after = retry_after
        """Seconds after which to retry, if the mesh named them."""
        self.help_url = help_url
        """Where the mesh that answered explains the code."""
        self.task_id = task_id
        """The task that the call was about. If the mesh does not answer, the task goes on: wait for it again."""
        self.idempotency_key = idempotency_key
        """The key of a submission that was not answered: submitting the same again with it makes no second task."""

    def about(
        self, *, task_id: str | None = None, idempotency_key: str | None = None
    ) -> MusterApiError:
        """Return the same error, which names the task that the call was about, or else the key of its submission."""
        if self.task_id is not None:
            return self
        error = MusterApiError(
            self.code,
            self.status,
            self.detail,
            retry_after=self.retry_after,
            help_url=self.help_url,
            task_id=task_id,
            idempotency_key=idempotency_key,
        )
        error.__cause__ = self.__cause__
        return error


class TaskFailed(MusterError):  # noqa: N818 - the name of the SDK for TypeScript
    """The task of `run` ended in another state than `succeeded`; `code` is that state."""

    def __init__(self, task: Any) -> None:
        super().__init__(
            f"task {task.id} {task.state}{'' if task.error is None else f': {task.error}'}"
        )
        self.code = str(task.state)
        self.task = task

    @property
    def task_id(self) -> str:
        """The ID of the task."""
        return str(self.task.id)


class WaitTimeout(MusterError, TimeoutError):  # noqa: N818 - the name of the SDK for TypeScript
    """The task had not ended within `timeout`. The task continues; `task` is its last known state."""

    code = "wait_timeout"

    def __init__(self, task: Any) -> None:
        super().__init__(f"task {task.id} is still {task.state}")
        self.task = task

    @property
    def task_id(self) -> str:
        """The ID of the task."""
        return str(self.task.id)


def _with_task_id(text: str, task_id: str | None) -> str:
    return text if task_id is None or task_id in text else f"{text} (task {task_id})"
