import type { Bytes } from "../../base/bytes.ts";
import { SECOND } from "../../base/clock.ts";
import type { ExactJson } from "../../base/json-text/json-text.ts";
import type { HeldTask, PayloadOf, PayloadRef, TaskOffer } from "../../protocol/messages.ts";
import type { Connection } from "../connection/connection.ts";
import { AttemptTimer } from "./attempt-timer.ts";
import { runToOutcome, transportOf } from "./attempt-outcome.ts";
import type { FailedTransfer } from "./failed-transfer.ts";
import { handlerOf, type Handler, type Handlers } from "./handler.ts";
import { boundedProgress, LeaseRenewal } from "./lease-renewal.ts";
import type { TaskRunnerOptions } from "./runner-options.ts";
import { isStarted, Runs, type Run } from "./runs.ts";
import { MeshAnswers, type Refusal } from "./mesh-answers.ts";
import { payloadOf } from "./payload-outcome.ts";
import { endEvent, lostUpload, uploadedOutcome, type SentOutcome } from "./sent-outcome.ts";
import { resultsKept, type Report } from "./unconfirmed-results.ts";
import { taskContext } from "./task-context.ts";
import { uploadOf } from "./upload-outcome.ts";

/** Runs the tasks of one peer. Running tasks survive the end of a session and continue while the peer reconnects. */
export class TaskRunner {
  #options: TaskRunnerOptions;
  readonly #runs: Runs;
  readonly #answers: MeshAnswers;
  /** How payloads and results go over HTTP. */
  readonly #ports;
  /** Resolved when the last run has settled; null unless the runner drains. */
  #drained: PromiseWithResolvers<void> | null = null;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    const { upload, download } = options;
    this.#ports = { upload, download, isCurrent: (run: Run) => this.#runs.isCurrent(run) };
    this.#answers = new MeshAnswers({
      now: options.now,
      random: options.random,
      resultEnded: (report, refusal) => this.#resultEnded(report, refusal),
    });
    this.#runs = new Runs(({ taskId, kind }, unsettled) =>
      options.emit({ type: "handler_unsettled", taskId, kind, unsettled }),
    );
  }

  /** A session became active: sends unsent results and renews every lease. */
  attach(connection: Connection): void {
    this.#answers.attach(connection);
    for (const run of this.#runs.current) run.renewal.renew();
    this.#settleDrain();
  }

  /** The attempts that this peer still holds: running ones, and ended ones whose result is unsent. */
  heldTasks(): readonly HeldTask[] {
    const running = this.#runs.current.filter(isStarted);
    const held = running.map(({ taskId, fence }) => ({ task_id: taskId, fence }));
    return [...held, ...this.#answers.unsentTasks()];
  }

  /** Sets the handlers, once they are loaded. */
  setHandlers(handlers: Handlers): void {
    this.#options = { ...this.#options, handlers };
  }

  /** Changes how many tasks run at once. Running tasks continue. */
  setCapacity({ slots, prefetch }: Pick<TaskRunnerOptions, "slots" | "prefetch">): void {
    this.#options = { ...this.#options, slots, prefetch };
    this.#slotFreed();
  }

  /** The session ended. Tasks that were not started are aborted, since the mesh reassigns them; running ones continue. */
  detach(): void {
    if (!this.#answers.attached) return;
    this.#answers.detach();
    for (const run of this.#runs.current)
      if (!isStarted(run)) this.#abort(run, "the session ended");
    this.#settleDrain();
  }

  /** Accepts or refuses an offered attempt. */
  offer(offer: TaskOffer): void {
    const run = this.#runs.get(offer.task_id);
    if (run !== undefined) return this.#continueAs(run, offer);
    if (this.#drained !== null) return this.#handBack(offer);
    const handler = handlerOf(this.#options.handlers, offer.kind);
    if (handler === undefined) return this.#refuse(offer, `no handler for ${offer.kind}`);
    const { slots, prefetch } = this.#options;
    const isPrefetched = this.#runs.occupiedSlots >= slots;
    const capacity = slots + Number(prefetch && slots > 0);
    if (isPrefetched && this.#runs.size >= capacity) return this.#refuse(offer, "no free slot");
    this.#begin(this.#newRun(offer, handler), isPrefetched);
  }

  /** The mesh asks for a task that waits for a slot, because another peer could begin it at once. */
  giveBack({ task_id, fence }: PayloadOf<"task_return">): void {
    const run = this.#runs.get(task_id);
    if (run?.fence === fence) this.#handBackUnlessBegun(run, "another peer is free for it");
  }

  /** The mesh cancels an attempt. */
  cancel({ task_id, fence, reason }: PayloadOf<"task_cancel">): void {
    const run = this.#runs.get(task_id);
    if (run === undefined || run.fence > fence) return;
    this.#abort(run, reason);
    this.#slotFreed();
  }

  /** The mesh answered a message with an error. True if the runner handles it by sending the message again. */
  errorReceived(error: PayloadOf<"error">, replyTo: string | undefined): boolean {
    return this.#answers.errorReceived(error, replyTo);
  }

  /** The mesh answered a ping. False if it was not sent by the runner. */
  pongReceived(replyTo: string | undefined): boolean {
    return this.#answers.pongReceived(replyTo);
  }

  /**
   * Accepts nothing from now on, and hands back what was accepted and not started: the mesh offers it to other peers.
   * Resolves when every running handler has settled and the mesh has its result, or the runner was stopped.
   */
  drain(): Promise<void> {
    if (this.#drained === null) {
      this.#drained = Promise.withResolvers();
      for (const run of this.#runs.current) this.#handBackUnlessBegun(run);
      this.#settleDrain();
    }
    return this.#drained.promise;
  }

  /** The peer closes: gives up every task, so that other peers get them at once. */
  abandon(reason: string): void {
    this.#drained ??= Promise.withResolvers();
    for (const run of this.#runs.current) {
      const { taskId: task_id, fence } = run;
      this.#answers.release({ task_id, fence, reason, begun: isStarted(run) });
      this.#abort(run, reason);
    }
  }

  /** Aborts every task; nothing more is sent. */
  stop(reason: string): void {
    this.#answers.stop();
    for (const run of this.#runs.current) this.#abort(run, reason);
    this.#runs.stop();
    this.#drained?.resolve();
  }

  /** The mesh lost the attempt that runs here and offers the task again: the work continues as the newer attempt. */
  #continueAs(run: Run, offer: TaskOffer): void {
    if (offer.fence < run.fence || !this.#answers.accept(this.#runs.acceptOf(run, offer.fence)))
      return;
    run.fence = offer.fence;
    run.secret = offer.upload;
    run.renewal.setLease(offer.lease_seconds * SECOND);
    if (isStarted(run)) run.timer.start(offer.attempt_timeout_seconds);
  }

  #refuse({ task_id, fence, kind }: OfferedTask, reason: string): void {
    this.#answers.refuse({ task_id, fence, reason });
    this.#options.emit({ type: "task_refused", taskId: task_id, kind, reason });
  }

  /** A run whose lease is renewed from now on. */
  #newRun(offer: TaskOffer, handler: Handler): Run {
    const { task_id: taskId, kind } = offer;
    const renewal = new LeaseRenewal(offer.lease_seconds * SECOND, this.#options.now, (progress) =>
      this.#answers.progress({ ...this.#runs.acceptOf(run, run.fence), ...progress }),
    );
    const run: Run = {
      taskId,
      kind,
      abort: new AbortController(),
      renewal,
      timer: new AttemptTimer((seconds) => this.#timeOut(run, seconds)),
      start: () => void this.#run(run, offer, handler),
      isHandlerRunning: false,
      fence: offer.fence,
      secret: offer.upload,
    };
    return run;
  }

  /** Accepts the offer of a run, and starts it once that was sent unless it is prefetched. */
  #begin(run: Run, isPrefetched: boolean): void {
    this.#runs.add(run);
    this.#runs.setPrefetched(run, isPrefetched);
    const accept = this.#runs.acceptOf(run, run.fence);
    const isAccepted = isPrefetched
      ? this.#answers.accept(accept)
      : this.#answers.accept(accept, () => this.#start(run));
    if (!isAccepted) this.#runs.end(run);
  }

  /** Starts the handler, unless the task was cancelled or the session ended before its accept was sent. */
  #start(run: Run): void {
    const { start } = run;
    if (!this.#runs.isCurrent(run)) return;
    run.start = null;
    start?.();
  }

  /** A run has ended or its handler has settled: starts a prefetched task if a slot is free and the mesh can be informed. */
  #slotFreed(): void {
    this.#settleDrain();
    const [run] = this.#runs.prefetched;
    if (run === undefined || this.#runs.occupiedSlots >= this.#options.slots) return;
    this.#runs.setPrefetched(run, false);
    const accept = this.#runs.acceptOf(run, run.fence);
    if (!this.#answers.accept(accept, () => this.#start(run))) this.#runs.setPrefetched(run, true);
  }

  #settleDrain(): void {
    if (this.#runs.size === 0 && this.#answers.isConfirmed) this.#drained?.resolve();
  }

  async #run(run: Run, offer: TaskOffer, handler: Handler): Promise<void> {
    const { taskId, kind, renewal, abort } = run;
    run.timer.start(offer.attempt_timeout_seconds);
    const { payload_ref: ref, lease_seconds: lease } = offer;
    const payload = ref === undefined ? offer.payload : await this.#fetch(run, ref, lease);
    if (payload === null) return this.#slotFreed();
    this.#options.emit({ type: "task_started", taskId, kind, attempt: offer.attempt });
    const progress = (fraction?: number, message?: string): void => {
      if (this.#runs.isCurrent(run)) renewal.report(boundedProgress(fraction, message));
    };
    const context = taskContext(offer, payload, abort.signal, progress);
    const transport = transportOf(offer, this.#options.inlineBytesMax);
    const work = () => handler(JSON.parse(context.payloadText), context);
    run.isHandlerRunning = true;
    const outcome = await runToOutcome(work, transport);
    this.#runs.handlerSettled(run);
    if (this.#runs.isCurrent(run)) {
      if ("large" in outcome) await this.#upload(run, outcome.large, outcome.sealed);
      else this.#finish(run, outcome);
    }
    this.#slotFreed();
  }

  /** Fetches the payload that an offer refers to; null if the attempt ends without it. The lease is renewed meanwhile. */
  async #fetch(run: Run, ref: PayloadRef, lease: number): Promise<ExactJson | null> {
    const fetched = await payloadOf(run, { ref, outageMs: lease * SECOND }, this.#ports);
    if (fetched?.is === "read") return fetched.payload;
    if (fetched !== null) this.#giveUp(run, fetched);
    return null;
  }

  /** Uploads a large result, and then names it in the session, which commits it. The lease is renewed meanwhile. */
  async #upload(run: Run, bytes: Bytes, sealed: boolean): Promise<void> {
    const uploaded = await uploadOf(run, bytes, this.#ports);
    if (uploaded?.is === "stored") this.#finish(run, uploadedOutcome(uploaded.content, sealed));
    else if (uploaded !== null) this.#giveUp(run, uploaded);
  }

  #giveUp(run: Run, { is, reason }: FailedTransfer): void {
    if (is === "lost") this.#abort(run, reason);
    else this.#finish(run, { ok: false, error: reason, retry: true });
  }

  #finish(run: Run, outcome: SentOutcome): void {
    this.#runs.end(run);
    const message = { task_id: run.taskId, fence: run.fence, ...outcome };
    this.#answers.result({ message, kind: run.kind }, resultsKept(this.#options.slots));
  }

  /** The mesh has committed a result, or not: then `refusal` says why. */
  #resultEnded(report: Report, refusal: Refusal | null): void {
    const lost = refusal === null ? null : lostUpload(report, refusal);
    if (lost !== null) return this.#answers.result(lost, resultsKept(this.#options.slots));
    this.#options.emit(endEvent(report, refusal));
    this.#settleDrain();
  }

  /** The lease is not renewed any more, and the mesh is told at once that the attempt has failed. */
  #timeOut(run: Run, seconds: number): void {
    const error = `the attempt took longer than ${seconds} s`;
    this.#finish(run, { ok: false, error, retry: true });
    run.abort.abort(new DOMException(error, "TimeoutError"));
    this.#slotFreed();
  }

  #abort(run: Run, reason: string): void {
    this.#runs.end(run);
    run.abort.abort(new DOMException(reason, "AbortError"));
    this.#options.emit({ type: "task_cancelled", taskId: run.taskId, kind: run.kind, reason });
  }

  #handBackUnlessBegun(run: Run, reason = DRAINING): void {
    if (isStarted(run)) return;
    this.#runs.end(run);
    this.#handBack({ task_id: run.taskId, fence: run.fence, kind: run.kind }, reason);
  }

  /** Returns a task that was not begun to the mesh, which does not count as a refusal. */
  #handBack({ task_id, fence, kind }: OfferedTask, reason = DRAINING): void {
    this.#answers.release({ task_id, fence, reason, begun: false });
    this.#options.emit({ type: "task_refused", taskId: task_id, kind, reason });
  }
}

const DRAINING = "the peer drains";
type OfferedTask = Pick<TaskOffer, "task_id" | "fence" | "kind">;
