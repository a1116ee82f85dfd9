"""Submits tasks and follows them to their end."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from muster._answers.bulk import FailuresView
from muster._answers.choices import WhyView
from muster._answers.kinds import TaskStats
from muster._answers.tasks import BatchView, RefusedTask, SubmittedTask, Task, TaskList, TaskSummary
from muster._answers.traces import TaskTrace
from muster._client.bulk import act_on_many, failures_query, filter_body, retry_body
from muster._client.listing import Listing, listing
from muster._client.options import check_options, seconds_of
from muster._client.submission import idempotency_key_of, submission, trace_headers
from muster._client.task_options import (
    BatchOptions,
    BatchTask,
    BulkOptions,
    BulkOutcome,
    BulkRetryOptions,
    FailuresFilter,
    FollowOptions,
    RetryOptions,
    RunOptions,
    SelectionFilter,
    SubmitAndWaitOptions,
    TaskFilter,
    WaitOptions,
)
from muster._client.task_requests import TASK_WAIT_ROUND, TaskRequests, about_task, path_of
from muster._crypto.identity import PrivateKey, identity_from
from muster._events.follow_task import follow_task
from muster._events.task_changes import TaskChanges
from muster._http.api import Api, ApiRequest
from muster.errors import TaskFailed, WaitTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from typing_extensions import Unpack

    from muster._client.mesh_pin import MeshPin

_END_STATES = frozenset({"succeeded", "failed", "cancelled", "expired"})


def has_ended(task: Task | TaskSummary) -> bool:
    """Whether the task is in an end state: `succeeded`, `failed`, `cancelled` or `expired`."""
    return task.state in _END_STATES


class TasksClient:
    """Submits tasks and follows them to their end. Results are not validated: their types are the handlers'."""

    def __init__(self, api: Api, pin: MeshPin | None, outage: float) -> None:
        self._api = api
        self._requests = TaskRequests(api, pin)
        self._outage = outage
        self._changes = TaskChanges(api)

    async def submit(
        self, kind: str, payload: Any = None, **options: Unpack[SubmitAndWaitOptions]
    ) -> Task:
        """Submit one task and return it once the mesh has committed it.

        With `wait`, it is returned once it has ended or that time has passed. One call makes one task, however often the request is
        retried: the SDK sends an idempotency key.
        """
        check_options("tasks.submit", options, SubmitAndWaitOptions)
        wait = seconds_of("wait", options.get("wait"), 0)
        return await self._requests.submit(kind, payload, options, wait, 0)

    async def submit_batch(
        self, tasks: Sequence[BatchTask], **options: Unpack[BatchOptions]
    ) -> tuple[SubmittedTask | RefusedTask, ...]:
        """Submit up to 100 tasks in one request.

        The outcomes have the order of `tasks`; each is a task or an error. A second call with the same idempotency key creates no further
        tasks.
        """
        check_options("tasks.submit_batch", options, BatchOptions)
        bodies = []
        for index, task in enumerate(tasks):
            check_options(f"tasks[{index}] of tasks.submit_batch", task, BatchTask)
            root = f"tasks[{index}].payload"
            bodies.append(submission(task["kind"], task.get("payload"), task, root))
        key = idempotency_key_of(options.get("idempotency_key"))
        request = ApiRequest(
            method="POST",
            path="v1/task-batches",
            content=f'{{"tasks":[{",".join(bodies)}]}}'.encode(),
            headers={"idempotency-key": key, **trace_headers(options)},
            idempotent=True,
        )
        return (await self._api.read(BatchView, request)).results

    async def run(self, kind: str, payload: Any = None, **options: Unpack[RunOptions]) -> Any:
        """Submit a task, wait for its end and return its result, in one request if the task ends soon.

        With `private_key` the worker seals the result and the SDK opens it. Raises `TaskFailed` if the task ended in any state but
        `succeeded`. Goes on like `wait` without an answer: the submission has an idempotency key and may be repeated.
        """
        check_options("tasks.run", options, RunOptions)
        private_key = options.get("private_key")
        outage = seconds_of("outage", options.get("outage"), self._outage)
        submitted: dict[str, Any] = dict(options)
        if private_key is not None:
            submitted["seal_to"] = identity_from(private_key).public_key
        until = _until(options.get("timeout"))
        left = max(0.0, until - time.monotonic())
        task = await self._requests.submit(kind, payload, submitted, left, min(outage, left))
        if not has_ended(task):
            task = await self._wait(task.id, until, outage)
        if task.state != "succeeded":
            raise TaskFailed(task)
        if _is_inline(task):
            return task.result
        return json.loads(await self._requests.result_text(task.id, private_key, outage))

    async def wait(self, task_id: str, **options: Unpack[WaitOptions]) -> Task:
        """Wait until the task has ended, in whichever state, also across a restart of the mesh.

        Raises `WaitTimeout` after `timeout`, and `MusterApiError` (`unreachable`) if the mesh gives no answer for `outage`.
        """
        check_options("tasks.wait", options, WaitOptions)
        outage = seconds_of("outage", options.get("outage"), self._outage)
        return await self._wait(task_id, _until(options.get("timeout")), outage)

    async def follow(
        self, task_id: str, **options: Unpack[FollowOptions]
    ) -> AsyncGenerator[Task, None]:
        """Yield the task as it is now, then after each change, until it has ended.

        All tasks that a controller follows share one stream of events; a mesh without one is polled once a second. Goes on like `wait`
        without an answer.
        """
        check_options("tasks.follow", options, FollowOptions)
        outage = seconds_of("outage", options.get("outage"), self._outage)

        async def read(poll: float) -> Task:
            return await self._get_after(task_id, poll, outage)

        async for task in follow_task(read, self._changes):
            yield task

    def list(self, **conditions: Unpack[TaskFilter]) -> Listing[TaskSummary]:
        """Every task that the token may see, newest first, without payload, result and attempts."""
        check_options("tasks.list", conditions, TaskFilter)
        query = {name: value for name, value in conditions.items() if name != "page_size"}
        query["limit"] = conditions.get("page_size")
        return listing(self._api, TaskList, "v1/tasks", query, lambda page: page.tasks)

    async def get(self, task_id: str) -> Task:
        """One task by its ID."""
        return await self._requests.task(ApiRequest(path=path_of(task_id)), task_id)

    async def cancel(self, task_id: str) -> Task:
        """Cancel a task that has not ended, and return it."""
        request = ApiRequest(method="DELETE", path=path_of(task_id))
        return await self._requests.task(request, task_id)

    async def retry(self, task_id: str, **options: Unpack[RetryOptions]) -> Task:
        """Put a task that failed, expired or was cancelled back into the queue, and return it.

        It has all its attempts and a new deadline. A task that has not ended is left as it is.
        """
        check_options("tasks.retry", options, RetryOptions)
        request = ApiRequest(
            method="POST",
            path=f"{path_of(task_id)}/retry",
            content=json.dumps(retry_body(options)).encode(),
            idempotent=True,
        )
        return await self._requests.task(request, task_id)

    async def cancel_many(
        self, selection: Sequence[str] | SelectionFilter, **options: Unpack[BulkOptions]
    ) -> BulkOutcome:
        """Cancel many tasks: those with these IDs, or those that meet a filter.

        Several requests, if there are many; each may be repeated.
        """
        check_options("tasks.cancel_many", options, BulkOptions)
        body = filter_body("tasks.cancel_many", selection)
        return await act_on_many(self._api, "v1/tasks/cancel", body, {}, options)

    async def retry_many(
        self, selection: Sequence[str] | SelectionFilter, **options: Unpack[BulkRetryOptions]
    ) -> BulkOutcome:
        """Retry many tasks: those with these IDs, or those that meet a filter (without `state`, failed and expired ones)."""
        check_options("tasks.retry_many", options, BulkRetryOptions)
        body = filter_body("tasks.retry_many", selection)
        return await act_on_many(self._api, "v1/tasks/retry", body, retry_body(options), options)

    async def failures(self, **conditions: Unpack[FailuresFilter]) -> FailuresView:
        """The newest failed and expired tasks, grouped by kind and reason."""
        check_options("tasks.failures", conditions, FailuresFilter)
        request = ApiRequest(path="v1/tasks/failures", query=failures_query(conditions))
        return await self._api.read(FailuresView, request)

    async def stats(self) -> TaskStats:
        """How many tasks wait and run, by kind and by owner, as far as the token may see them, and the limits that hold."""
        return await self._api.read(TaskStats, ApiRequest(path="v1/tasks/stats"))

    async def trace(self, task_id: str) -> TaskTrace:
        """The timeline of a task: its waits, attempts, upload and callback, as spans."""
        with about_task(task_id):
            return await self._api.read(TaskTrace, ApiRequest(path=f"{path_of(task_id)}/trace"))

    async def why(self, task_id: str, attempt: int | None = None) -> WhyView:
        """Why a task was assigned to its peer, or why it is still queued. `attempt` counts from 1; default: the newest one."""
        with about_task(task_id):
            request = ApiRequest(path=f"{path_of(task_id)}/why", query={"attempt": attempt})
            return await self._api.read(WhyView, request)

    async def repeat_callback(self, task_id: str) -> Task:
        """Send the callback of a task again, after it was delivered or after the mesh gave up."""
        request = ApiRequest(method="POST", path=f"{path_of(task_id)}/callback")
        return await self._requests.task(request, task_id)

    async def result(self, task_id: str, private_key: PrivateKey | None = None) -> Any:
        """Fetch the result of a task that succeeded, of any size.

        A sealed result needs the private half of the key that the task was submitted with. Raises `OptionsError` if that key is missing or
        wrong, `MusterApiError` (`invalid_response`) if the digest does not match or, with a pinned mesh key, the mesh has not signed the
        result.
        """
        return json.loads(await self.result_text(task_id, private_key))

    async def result_text(self, task_id: str, private_key: PrivateKey | None = None) -> str:
        """The same result as JSON, exactly as the peer wrote it: parsing rounds long fractions. Raises as `result`."""
        return await self._requests.result_text(task_id, private_key)

    async def result_of(self, task: Task, private_key: PrivateKey | None = None) -> Any:
        """The result of a task that this client has returned: its `result`, or as `result` fetches it if it is large or sealed."""
        return task.result if _is_inline(task) else await self.result(task.id, private_key)

    async def result_text_of(self, task: Task, private_key: PrivateKey | None = None) -> str:
        """The same as JSON, exactly as the peer wrote it."""
        if _is_inline(task):
            return task.result_text
        return await self.result_text(task.id, private_key)

    async def close(self) -> None:
        """End the stream of events that followed tasks share."""
        await self._changes.close()

    async def _wait(self, task_id: str, until: float, outage: float) -> Task:
        while True:
            left = max(0.0, until - time.monotonic())
            poll = min(TASK_WAIT_ROUND, left)
            task = await self._get_after(task_id, poll, min(outage, left))
            if has_ended(task):
                return task
            if time.monotonic() >= until:
                raise WaitTimeout(task)

    async def _get_after(self, task_id: str, poll: float, outage: float) -> Task:
        """The task once it has ended, or after `poll` seconds."""
        request = ApiRequest(path=path_of(task_id), poll=poll, outage=outage)
        return await self._requests.task(request, task_id)


def _is_inline(task: Task) -> bool:
    """Whether the `result` field of a task that has succeeded is its result."""
    return task.result_url is None and not task.result_sealed


def _until(timeout: float | None) -> float:
    return time.monotonic() + seconds_of("timeout", timeout, float("inf"))
