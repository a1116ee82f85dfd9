"""Runs the tasks of one peer. Running tasks survive the end of a session and continue while the peer reconnects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from muster._base.cut_text import cut_text
from muster._connection.profile import HeldTask
from muster._json import JsonText
from muster._peer.events import (
    HandlerUnsettled,
    TaskAttemptFailed,
    TaskCancelled,
    TaskRefused,
    TaskStarted,
    TaskSucceeded,
)
from muster._protocol.constants import REASON_CHARS_MAX, TASK_RESULT_BYTES_MAX
from muster._work.lease_renewal import LeaseRenewal, bounded_progress
from muster._work.mesh_answers import MeshAnswers, Refusal
from muster._work.outcome import (
    Abandoned,
    Failed,
    InMessage,
    Outcome,
    Returned,
    Settled,
    failed,
)
from muster._work.reports import lost_upload, members_of
from muster._work.runs import Run, Runs
from muster._work.send_result import outcome_to_send
from muster._work.unconfirmed_results import Report, results_kept
from muster._work.upload import Lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muster._connection.connection import Connection
    from muster._protocol.inbound_types import MeshErrorMessage, TaskCancel, TaskOffer, TaskReturn
    from muster._work.executor import Executor

_DRAINING = "the peer drains"
_TIMER_MAX = 2**31 / 1_000
"""The mesh alone ends attempts that may take longer, almost 25 days."""


class TaskRunner:
    """Accepts offers, runs handlers, and answers."""

    def __init__(self, executor: Executor, slots: int, *, prefetch: bool) -> None:
        self._executor = executor
        self._emit = executor.emit
        self._slots = slots
        self._prefetch = prefetch
        self._answers = MeshAnswers(self._result_ended)
        self._runs = Runs(
            lambda run, unsettled: self._emit(HandlerUnsettled(run.task_id, run.kind, unsettled))
        )
        self._is_draining = False
        self._drained = asyncio.Event()

    def attach(self, connection: Connection) -> None:
        """A session became active: send unsent results and renew every lease."""
        self._answers.attach(connection)
        for run in self._runs.current:
            run.renewal.renew()
        self._settle_drain()

    def held_tasks(self) -> tuple[HeldTask, ...]:
        """Return the attempts that this peer still holds: running ones, and ended ones whose result is unsent."""
        running = [HeldTask(run.task_id, run.fence) for run in self._runs.current if run.is_started]
        return (*running, *self._answers.unsent_tasks())

    def set_capacity(self, slots: int, *, prefetch: bool) -> None:
        """Change how many tasks run at once. Running tasks continue."""
        self._slots = slots
        self._prefetch = prefetch
        self._slot_freed()

    def detach(self) -> None:
        """The session ended. Tasks that were not started are aborted, since the mesh reassigns them; running ones continue."""
        if not self._answers.is_attached:
            return
        self._answers.detach()
        for run in self._runs.current:
            if not run.is_started:
                self._abort(run, "the session ended")
        self._settle_drain()

    def offer(self, offer: TaskOffer) -> None:
        """Accept or refuse an offered attempt."""
        run = self._runs.get(offer.task_id)
        if run is not None:
            self._continue_as(run, offer)
        elif self._is_draining:
            self._hand_back(offer.task_id, offer.fence, offer.kind, _DRAINING)
        elif not self._executor.has(offer.kind):
            self._refuse(offer, f"no handler for {offer.kind}")
        else:
            is_prefetched = self._runs.occupied_slots >= self._slots
            capacity = self._slots + int(self._prefetch and self._slots > 0)
            if is_prefetched and len(self._runs) >= capacity:
                self._refuse(offer, "no free slot")
            else:
                self._begin(self._new_run(offer), is_prefetched=is_prefetched)

    def give_back(self, asked: TaskReturn) -> None:
        """The mesh asks for a task that waits for a slot, because another peer could begin it at once."""
        run = self._runs.get(asked.task_id)
        if run is not None and run.fence == asked.fence:
            self._hand_back_unless_begun(run, "another peer is free for it")

    def cancel(self, cancel: TaskCancel) -> None:
        """The mesh cancels an attempt."""
        run = self._runs.get(cancel.task_id)
        if run is None or run.fence > cancel.fence:
            return
        self._abort(run, cancel.reason)
        self._slot_freed()

    def error_received(self, error: MeshErrorMessage, reply_to: str | None) -> bool:
        """Note an error of the mesh. True if the runner handles it by sending the message again."""
        return self._answers.error_received(error, reply_to)

    def pong_received(self, reply_to: str | None) -> bool:
        """Note that the mesh answered a ping. False if it was not sent by the runner."""
        return self._answers.pong_received(reply_to)

    async def drain(self) -> None:
        """Accept nothing from now on, and hand back what was accepted and not started: the mesh offers it to other peers.

        Returns when every running handler has settled and the mesh has its result, or the runner was stopped.
        """
        if not self._is_draining:
            self._is_draining = True
            for run in self._runs.current:
                self._hand_back_unless_begun(run, _DRAINING)
            self._settle_drain()
        await self._drained.wait()

    def abandon(self, reason: str) -> None:
        """The peer closes: give up every task, so that other peers get them at once."""
        self._is_draining = True
        for run in self._runs.current:
            self._give_up(run, reason)

    def stop(self, reason: str) -> None:
        """Abort every task; nothing more is sent."""
        self._is_draining = True
        self._answers.stop()
        for run in self._runs.current:
            self._abort(run, reason)
        self._runs.stop()
        self._drained.set()

    def _continue_as(self, run: Run, offer: TaskOffer) -> None:
        """The mesh lost the attempt that runs here and offers the task again: the work continues as the newer attempt."""
        if offer.fence < run.fence or not self._answers.accept(self._accept_of(run, offer.fence)):
            return
        run.fence = offer.fence
        run.upload_secret = offer.upload
        run.renewal.set_lease(offer.lease_seconds)
        if run.is_started:
            self._start_timeout(run, offer.attempt_timeout_seconds)

    def _new_run(self, offer: TaskOffer) -> Run:
        """Return a run whose lease is renewed from now on."""

        def send(progress: Mapping[str, Any]) -> None:
            message = {**self._accept_of(run, run.fence), **progress}
            self._answers.send("task_progress", message)

        run = Run(
            offer.task_id,
            offer.kind,
            offer.fence,
            offer.upload,
            lambda: self._run(run, offer),
            LeaseRenewal(offer.lease_seconds, send),
        )
        return run

    def _begin(self, run: Run, *, is_prefetched: bool) -> None:
        """Accept the offer of a run, and start it once that was sent unless it is prefetched."""
        self._runs.add(run)
        self._runs.set_prefetched(run, is_prefetched=is_prefetched)
        on_sent = None if is_prefetched else lambda: self._start(run)
        if not self._answers.accept(self._accept_of(run, run.fence), on_sent):
            self._runs.end(run)

    def _accept_of(self, run: Run, fence: int) -> dict[str, Any]:
        message: dict[str, Any] = {"task_id": run.task_id, "fence": fence}
        if self._runs.is_prefetched(run):
            message["queued"] = True
        return message

    def _start(self, run: Run) -> None:
        """Start the handler, unless the task was cancelled or the session ended before its accept was sent."""
        start = run.start
        if self._runs.is_current(run) and start is not None:
            run.start = None
            start()

    def _slot_freed(self) -> None:
        """A run has ended or its handler has settled: start a prefetched task if a slot is free and the mesh can be told."""
        self._settle_drain()
        run = self._runs.first_prefetched
        if run is None or self._runs.occupied_slots >= self._slots:
            return
        self._runs.set_prefetched(run, is_prefetched=False)
        accept = self._accept_of(run, run.fence)
        begun = run
        if not self._answers.accept(accept, lambda: self._start(begun)):
            self._runs.set_prefetched(run, is_prefetched=True)

    def _settle_drain(self) -> None:
        if self._is_draining and len(self._runs) == 0 and self._answers.is_confirmed:
            self._drained.set()

    def _run(self, run: Run, offer: TaskOffer) -> None:
        self._emit(TaskStarted(run.task_id, run.kind, offer.attempt))
        self._start_timeout(run, offer.attempt_timeout_seconds)
        run.is_handler_running = True
        run.execution = self._executor.start(offer, _RunCall(self, run, offer))

    def progress(self, run: Run, fraction: float | None, message: str | None) -> None:
        """The handler of a run reports progress."""
        if self._runs.is_current(run):
            run.renewal.report(bounded_progress(fraction, message))

    def settled(self, run: Run, offer: TaskOffer, settled: Settled) -> None:
        """The handler of a run has settled."""
        self._runs.handler_settled(run)
        if self._runs.is_current(run):
            self._report(run, offer, settled)
        self._slot_freed()

    def _report(self, run: Run, offer: TaskOffer, settled: Settled) -> None:
        if isinstance(settled, Abandoned):
            self._give_up(run, settled.reason)
        elif isinstance(settled, Failed):
            self._finish(run, settled)
        elif offer.seal_to is None and len(settled.json) <= TASK_RESULT_BYTES_MAX // 4:
            # No character has more than four bytes: the result fits into a message.
            self._finish(run, InMessage(JsonText(settled.json), sealed=False))
        else:
            run.upload = asyncio.create_task(self._send_large(run, offer, settled))

    async def _send_large(self, run: Run, offer: TaskOffer, returned: Returned) -> None:
        """Send a result that is sealed, or that may be too large for a message. The lease is renewed meanwhile."""
        outcome = await outcome_to_send(
            run, offer, returned, self._executor.upload, lambda: self._runs.is_current(run)
        )
        if not self._runs.is_current(run):
            return
        if isinstance(outcome, Lost):
            self._abort(run, outcome.reason)
        elif outcome is not None:
            self._finish(run, outcome)
        self._slot_freed()

    def _finish(self, run: Run, outcome: Outcome) -> None:
        self._runs.end(run)
        message = {"task_id": run.task_id, "fence": run.fence, **members_of(outcome)}
        self._answers.result(Report(message, run.kind), results_kept(self._slots))

    def _result_ended(self, report: Report, refusal: Refusal | None) -> None:
        """The mesh has committed a result, or not: then `refusal` says why."""
        message, kind = report.message, report.kind
        lost = None if refusal is None else lost_upload(report, refusal)
        if lost is not None:
            self._answers.result(lost, results_kept(self._slots))
            return
        if refusal is not None:
            self._emit(TaskCancelled(report.task_id, kind, refusal.reason))
        elif message["ok"]:
            self._emit(TaskSucceeded(report.task_id, kind))
        else:
            self._emit(TaskAttemptFailed(report.task_id, kind, message["error"], message["retry"]))
        self._settle_drain()

    def _start_timeout(self, run: Run, seconds: float | None) -> None:
        """The attempt starts now; without a limit it may take any time. A newer attempt that continues the work starts anew."""
        if run.timeout is not None:
            run.timeout.cancel()
            run.timeout = None
        if seconds is not None and seconds <= _TIMER_MAX:
            loop = asyncio.get_running_loop()
            run.timeout = loop.call_later(seconds, self._time_out, run, seconds)

    def _time_out(self, run: Run, seconds: float) -> None:
        """The lease is not renewed any more, and the mesh is told at once that the attempt has failed."""
        error = f"the attempt took longer than {seconds:g} s"
        self._finish(run, failed(error, retry=True))
        _stop_work(run, error)
        self._slot_freed()

    def _give_up(self, run: Run, reason: str) -> None:
        text = cut_text(reason, REASON_CHARS_MAX)
        message = {"task_id": run.task_id, "fence": run.fence, "reason": text}
        self._answers.send("task_release", {**message, "begun": run.is_started})
        self._abort(run, reason)

    def _abort(self, run: Run, reason: str) -> None:
        self._runs.end(run)
        _stop_work(run, reason)
        self._emit(TaskCancelled(run.task_id, run.kind, reason))

    def _refuse(self, offer: TaskOffer, reason: str) -> None:
        text = cut_text(reason, REASON_CHARS_MAX)
        message = {"task_id": offer.task_id, "fence": offer.fence, "reason": text}
        self._answers.send("task_refuse", message)
        self._emit(TaskRefused(offer.task_id, offer.kind, reason))

    def _hand_back_unless_begun(self, run: Run, reason: str) -> None:
        if not run.is_started:
            self._runs.end(run)
            self._hand_back(run.task_id, run.fence, run.kind, reason)

    def _hand_back(self, task_id: str, fence: int, kind: str, reason: str) -> None:
        """Return a task that was not begun to the mesh, which does not count as a refusal."""
        message = {"task_id": task_id, "fence": fence, "reason": reason, "begun": False}
        self._answers.send("task_release", message)
        self._emit(TaskRefused(task_id, kind, reason))


class _RunCall:
    """What the handler of one run reports."""

    def __init__(self, runner: TaskRunner, run: Run, offer: TaskOffer) -> None:
        self._runner = runner
        self._run = run
        self._offer = offer

    def progress(self, fraction: float | None, message: str | None) -> None:
        self._runner.progress(self._run, fraction, message)

    def settled(self, settled: Settled) -> None:
        self._runner.settled(self._run, self._offer, settled)


def _stop_work(run: Run, reason: str) -> None:
    if run.execution is not None:
        run.execution.cancel(reason)
    if run.upload is not None and run.upload is not asyncio.current_task():
        run.upload.cancel()
