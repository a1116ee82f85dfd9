import type { Bytes } from "../../base/bytes.ts";
import { SECOND, type Millis, type Random } from "../../base/clock.ts";
import type { HeldTask, PayloadOf, TaskOffer } from "../../protocol/messages.ts";
import type { Connection } from "../connection/connection.ts";
import { MusterApiError } from "../errors.ts";
import type { PeerEventListener } from "../peer/peer-events.ts";
import { UNCONFIRMED_RESULTS_MIN, UNCONFIRMED_RESULTS_PER_SLOT } from "../timings.ts";
import { runToOutcome, type Outcome } from "./attempt-outcome.ts";
import type { Handler, Handlers } from "./handler.ts";
import { boundedProgress, LeaseRenewal } from "./lease-renewal.ts";
import { MeshAnswers } from "./mesh-answers.ts";
import type { Upload } from "./upload-result.ts";

/** A task that this peer has accepted. */
interface Run {
  readonly taskId: string;
  readonly kind: string;
  readonly abort: AbortController;
  readonly renewal: LeaseRenewal;
  /** Starts the handler; null once it was started. It starts when the accept has been sent and a slot is free. */
  start: (() => void) | null;
  /** The attempt's fence. A newer attempt may continue the running work: it replaces fence and upload ticket. */
  fence: number;
  uploadTicket: string | undefined;
}

export interface TaskRunnerOptions {
  readonly handlers: Handlers;
  /** How many tasks run at once. */
  readonly slots: number;
  /** Whether one task more than `slots` is accepted, to start when a slot is free. */
  readonly prefetch: boolean;
  readonly now: () => Millis;
  readonly random: Random;
  /** Uploads a large result to the mesh. */
  readonly upload: (upload: Upload) => Promise<void>;
  readonly emit: PeerEventListener;
}

/** Runs the tasks of one peer. Running tasks survive the end of a session and continue while the peer reconnects. */
export class TaskRunner {
  #options: TaskRunnerOptions;
  readonly #runs = new Map<string, Run>();
  /** The runs that wait for a free slot. All others occupy one. */
  readonly #prefetched = new Set<Run>();
  readonly #answers: MeshAnswers;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    this.#answers = new MeshAnswers(options);
  }

  /** A session became active: sends unsent results and renews every lease. */
  attach(connection: Connection): void {
    this.#answers.attach(connection);
    for (const run of this.#runs.values()) run.renewal.renew();
  }

  /** The attempts that this peer still holds: running ones, and ended ones whose result is unsent. */
  heldTasks(): readonly HeldTask[] {
    const running = [...this.#runs.values()].filter(isStarted);
    const held = running.map(({ taskId, fence }) => ({ task_id: taskId, fence }));
    return [...held, ...this.#answers.unsentTasks()];
  }

  /** Changes how many tasks run at once. Running tasks continue. */
  setCapacity({ slots, prefetch }: Pick<TaskRunnerOptions, "slots" | "prefetch">): void {
    this.#options = { ...this.#options, slots, prefetch };
    this.#startNext();
  }

  /** The session ended. Tasks that were not started are aborted, since the mesh reassigns them; running ones continue. */
  detach(): void {
    if (!this.#answers.attached) return;
    this.#answers.detach();
    for (const run of this.#runs.values())
      if (!isStarted(run)) this.#abort(run, "the session ended");
  }

  /** Accepts or refuses an offered attempt. */
  offer(offer: TaskOffer): void {
    const run = this.#runs.get(offer.task_id);
    if (run !== undefined) return this.#continueAs(run, offer);
    const handler = this.#handlerOf(offer.kind);
    if (handler === undefined) return this.#refuse(offer, `no handler for ${offer.kind}`);
    const { slots, prefetch } = this.#options;
    const isPrefetched = this.#occupiedSlots >= slots;
    const capacity = slots + Number(prefetch && slots > 0);
    if (isPrefetched && this.#runs.size >= capacity) return this.#refuse(offer, "no free slot");
    this.#begin(this.#newRun(offer, handler), isPrefetched);
  }

  /** The mesh cancels an attempt. */
  cancel({ task_id, fence, reason }: PayloadOf<"task_cancel">): void {
    const run = this.#runs.get(task_id);
    if (run === undefined || run.fence > fence) return;
    this.#abort(run, reason);
    this.#startNext();
  }

  /** The mesh answered a message with an error. True if the runner handles it by sending the message again. */
  errorReceived(error: PayloadOf<"error">, replyTo: string | undefined): boolean {
    return this.#answers.errorReceived(error, replyTo);
  }

  /** Aborts every task; nothing more is sent. */
  stop(reason: string): void {
    this.#answers.stop();
    for (const run of this.#runs.values()) this.#abort(run, reason);
  }

  /** The mesh lost the attempt that runs here and offers the task again: the work continues as the newer attempt. */
  #continueAs(run: Run, offer: TaskOffer): void {
    if (offer.fence < run.fence || !this.#answers.accept(this.#acceptOf(run, offer.fence))) return;
    run.fence = offer.fence;
    run.uploadTicket = offer.upload;
    run.renewal.setLease(offer.lease_seconds * SECOND);
  }

  #handlerOf(kind: string): Handler | undefined {
    const { handlers } = this.#options;
    return Object.hasOwn(handlers, kind) ? handlers[kind] : handlers["*"];
  }

  #refuse({ task_id, fence, kind }: TaskOffer, reason: string): void {
    this.#answers.refuse({ task_id, fence, reason });
    this.#options.emit({ type: "task_refused", taskId: task_id, kind, reason });
  }

  /** A run whose lease is renewed from now on. */
  #newRun(offer: TaskOffer, handler: Handler): Run {
    const { task_id: taskId, kind } = offer;
    const renewal = new LeaseRenewal(offer.lease_seconds * SECOND, this.#options.now, (progress) =>
      this.#answers.progress({ ...this.#acceptOf(run, run.fence), ...progress }),
    );
    const run: Run = {
      taskId,
      kind,
      abort: new AbortController(),
      renewal,
      start: () => void this.#run(run, offer, handler),
      fence: offer.fence,
      uploadTicket: offer.upload,
    };
    return run;
  }

  /** Accepts the offer of a run, and starts it once that was sent unless it is prefetched. */
  #begin(run: Run, isPrefetched: boolean): void {
    this.#runs.set(run.taskId, run);
    if (isPrefetched) this.#prefetched.add(run);
    const accept = this.#acceptOf(run, run.fence);
    const isAccepted = isPrefetched
      ? this.#answers.accept(accept)
      : this.#answers.accept(accept, () => this.#start(run));
    if (!isAccepted) this.#remove(run);
  }

  #acceptOf(run: Run, fence: number) {
    const queued = this.#prefetched.has(run) && { queued: true };
    return { task_id: run.taskId, fence, ...queued };
  }

  /** Starts the handler, unless the task was cancelled or the session ended before its accept was sent. */
  #start(run: Run): void {
    const { start } = run;
    if (!this.#isCurrent(run)) return;
    run.start = null;
    start?.();
  }

  /** Starts a prefetched task if a slot is free and the mesh can be informed. */
  #startNext(): void {
    if (this.#occupiedSlots >= this.#options.slots) return;
    for (const run of this.#prefetched) {
      this.#prefetched.delete(run);
      const accept = this.#acceptOf(run, run.fence);
      if (!this.#answers.accept(accept, () => this.#start(run))) this.#prefetched.add(run);
      return;
    }
  }

  get #occupiedSlots(): number {
    return this.#runs.size - this.#prefetched.size;
  }

  async #run(run: Run, offer: TaskOffer, handler: Handler): Promise<void> {
    const { taskId, kind, renewal, abort } = run;
    const { attempt } = offer;
    this.#options.emit({ type: "task_started", taskId, kind, attempt });
    const progress = (fraction?: number, message?: string): void => {
      if (this.#isCurrent(run)) renewal.report(boundedProgress(fraction, message));
    };
    const context = { taskId, kind, attempt, signal: abort.signal, progress };
    const transport = { sealTo: offer.seal_to ?? null, large: offer.upload !== undefined };
    const outcome = await runToOutcome(() => handler(offer.payload, context), transport);
    if (!this.#isCurrent(run)) return;
    if ("large" in outcome) await this.#upload(run, outcome.large, outcome.sealed);
    else this.#finish(run, outcome);
    this.#startNext();
  }

  /** Uploads a large result; the lease is renewed meanwhile. The task has ended once the upload succeeds. */
  async #upload(run: Run, bytes: Bytes, sealed: boolean): Promise<void> {
    const { taskId, kind, fence, uploadTicket: ticket = "" } = run;
    try {
      const { signal } = run.abort;
      await this.#options.upload({ taskId, fence, ticket, bytes, sealed, signal });
    } catch (error) {
      if (!this.#isCurrent(run)) return;
      // A newer attempt has taken over the work meanwhile: upload again under its fence.
      if (run.fence !== fence) return this.#upload(run, bytes, sealed);
      const reason = error instanceof Error ? error.message : String(error);
      // Another peer holds the task now, or this upload was committed and its answer was lost. Either way: nothing to send.
      if (error instanceof MusterApiError && error.code === "lease_lost")
        return this.#abort(run, reason);
      return this.#finish(run, { ok: false, error: reason, retry: true });
    }
    if (!this.#isCurrent(run)) return;
    this.#remove(run);
    this.#options.emit({ type: "task_succeeded", taskId, kind });
  }

  /** False once the run was aborted, also if a newer run of the same task exists. */
  #isCurrent(run: Run): boolean {
    return this.#runs.get(run.taskId) === run;
  }

  #finish(run: Run, outcome: Exclude<Outcome, { large: unknown }>): void {
    this.#remove(run);
    const message = { task_id: run.taskId, fence: run.fence, ...outcome };
    const kept = UNCONFIRMED_RESULTS_PER_SLOT * this.#options.slots;
    this.#answers.result(message, Math.max(UNCONFIRMED_RESULTS_MIN, kept));
    const task = { taskId: run.taskId, kind: run.kind };
    if (outcome.ok) this.#options.emit({ type: "task_succeeded", ...task });
    else {
      const { error, retry } = outcome;
      this.#options.emit({ type: "task_failed", ...task, error, retry });
    }
  }

  #abort(run: Run, reason: string): void {
    this.#remove(run);
    run.abort.abort(new DOMException(reason, "AbortError"));
    this.#options.emit({ type: "task_cancelled", taskId: run.taskId, kind: run.kind, reason });
  }

  #remove(run: Run): void {
    this.#runs.delete(run.taskId);
    this.#prefetched.delete(run);
    run.renewal.stop();
  }
}

const isStarted = ({ start }: Run): boolean => start === null;
