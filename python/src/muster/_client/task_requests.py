"""The requests about one task. Their errors name it; with a pinned mesh key they return signed results only."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muster._answers.tasks import Task
from muster._client.results import TASK_LARGE_RESULT_BYTES_MAX, result_text, shown_result
from muster._client.submission import idempotency_key_of, submission, trace_headers
from muster._http.api import Answer, Api, ApiRequest, segment
from muster._http.retry import is_outage
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muster._client.mesh_pin import MeshPin
    from muster._crypto.identity import PrivateKey

TASK_WAIT_ROUND = 25.0
"""One long poll for a task's end over HTTP: below the idle timeouts of common proxies."""
TASK_TEXTS = (("payload",), ("result",))
"""The members of a task in an answer whose text is kept."""


def path_of(task_id: str) -> str:
    """The path of a task."""
    return f"v1/tasks/{segment(task_id)}"


@contextmanager
def about_task(task_id: str | None) -> Iterator[None]:
    """What is raised within names the task."""
    try:
        yield
    except MusterApiError as error:
        if task_id is None or error.task_id is not None:
            raise
        raise error.about(task_id=task_id) from error.__cause__


class TaskRequests:
    """Sends them."""

    def __init__(self, api: Api, pin: MeshPin | None) -> None:
        self._api = api
        self._pin = pin

    async def submit(
        self, kind: str, payload: Any, options: Mapping[str, Any], wait: float, outage: float
    ) -> Task:
        """Submit one task. `outage`: how long the call goes on without an answer; 0 retries a few times."""
        key = idempotency_key_of(options.get("idempotency_key"))
        request = ApiRequest(
            method="POST",
            path="v1/tasks",
            poll=min(wait, TASK_WAIT_ROUND) if wait > 0 else None,
            content=submission(kind, payload, options).encode(),
            headers={"idempotency-key": key, **trace_headers(options)},
            idempotent=True,
            outage=outage,
        )
        try:
            return await self.task(request)
        except MusterApiError as error:
            if is_outage(error) and error.task_id is None:
                raise error.about(idempotency_key=key) from error.__cause__
            raise

    async def task(self, request: ApiRequest, task_id: str | None = None) -> Task:
        """One task. `task_id`: of the one that is asked for; None for a submission, whose answer names it."""
        with about_task(task_id):
            task = await self._api.read(Task, dataclasses.replace(request, exact=TASK_TEXTS))
            if task_id is not None and task.id != task_id.lower():
                detail = f"the answer to {task_id} is task {task.id}"
                raise MusterApiError("invalid_response", 200, detail)
        if self._pin is None:
            return task
        with about_task(task.id):
            return await self._with_signed_result(task, self._pin, request.outage)

    async def result_text(
        self, task_id: str, private_key: PrivateKey | None, outage: float = 0.0
    ) -> str:
        """The result of a task as JSON."""
        with about_task(task_id):
            verifier = None if self._pin is None else await self._pin.verifier(outage)
            answer = await self._content(task_id, outage)
            return await result_text(answer, task_id, verifier, private_key)

    async def _with_signed_result(self, task: Task, pin: MeshPin, outage: float) -> Task:
        """The mesh signs results, and not the other fields of a task: what this one shows as its result is replaced."""
        if task.state != "succeeded" or task.result_url is not None:
            return dataclasses.replace(task, result=None, result_text="null")
        verifier = await pin.verifier(outage)
        answer = await self._content(task.id, outage)
        return dataclasses.replace(task, **shown_result(answer, task.id, verifier))

    async def _content(self, task_id: str, outage: float) -> Answer:
        path = f"{path_of(task_id)}/result"
        size = TASK_LARGE_RESULT_BYTES_MAX
        return await self._api.send(ApiRequest(path=path, max_bytes=size, outage=outage))
