import type { Bytes } from "../../base/bytes.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { HeldTask, PayloadOf, TaskOffer } from "../../protocol/messages.ts";
import { MusterApiError } from "../errors.ts";
import type { PeerEventListener } from "../peer/peer-events.ts";
import type { Link } from "../connection/connection.ts";
import { Outbox } from "./unconfirmed-results.ts";
import { outcomeOf, type Outcome } from "./attempt-outcome.ts";
import { progressOf, Renewal } from "./lease-renewal.ts";
import type { Upload } from "./upload-result.ts";

/** What a handler knows of its task beside the payload. */
export interface TaskContext {
  readonly taskId: string;
  readonly kind: string;
  /** 1 for the first try of the task anywhere. */
  readonly attempt: number;
  /** Aborted when the mesh cancels the task or the peer closes: stop, whatever is returned is dropped. */
  readonly signal: AbortSignal;
  /** Tells the mesh how far the work is: a fraction of 0 to 1, a short message, or both. */
  readonly progress: (fraction?: number, message?: string) => void;
}

/**
 * Does one task. What it returns (or resolves to) is the result and must be JSON. What it throws fails the attempt;
 * the mesh tries again, here or elsewhere, unless it is a `TaskError` with `retry: false`.
 */
export type Handler = (payload: Json, context: TaskContext) => unknown;

/** Handlers by task kind; `*` takes every kind that has none of its own. */
export type Handlers = Readonly<Record<string, Handler>>;

interface Run {
  readonly taskId: string;
  readonly kind: string;
  readonly abort: AbortController;
  readonly renewal: Renewal;
  /** Begins the work; null once it has begun. */
  begin: (() => void) | null;
  /** Names the attempt; a newer one may take over the work that already runs, with the ticket for its result. */
  fence: number;
  ticket: string | undefined;
}

export interface WorkOptions {
  readonly handlers: Handlers;
  readonly slots: number;
  /** Whether one task more is taken, to wait for a slot. */
  readonly prefetch: boolean;
  readonly now: () => Millis;
  /** Brings a large result to the mesh. */
  readonly upload: (upload: Upload) => Promise<void>;
  readonly emit: PeerEventListener;
}

/** The tasks of one peer. They outlive a session: work goes on while the peer reconnects. */
export class Work {
  #options: WorkOptions;
  readonly #runs = new Map<string, Run>();
  readonly #outbox = new Outbox();
  #link: Link | null = null;

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** A session is active: what waited for one goes out, and every lease is renewed. */
  attach(link: Link): void {
    this.#link = link;
    this.#outbox.flush(
      this.#options.now(),
      (message) => link.send("task_result", message) !== null,
    );
    for (const run of this.#runs.values()) run.renewal.now();
  }

  /** The attempts that go on here, whatever becomes of the session: those whose result is not told yet, too. */
  held(): readonly HeldTask[] {
    const running = [...this.#runs.values()].filter(({ begin }) => begin === null);
    const held = running.map(({ taskId, fence }) => ({ task_id: taskId, fence }));
    return [...held, ...this.#outbox.unsent()];
  }

  /** How many tasks may be done at once, from now on; what has begun goes on. */
  resize({ slots, prefetch }: Pick<WorkOptions, "slots" | "prefetch">): void {
    this.#options = { ...this.#options, slots, prefetch };
    this.#beginNext();
  }

  /** The session is gone. What has not begun goes to others now; what has may still be wanted when the peer is back. */
  detach(): void {
    if (this.#link === null) return;
    this.#link = null;
    this.#outbox.dropped(this.#options.now());
    for (const run of this.#runs.values())
      if (run.begin !== null) this.#abort(run, "the session ended");
  }

  offer(offer: TaskOffer): void {
    const running = this.#runs.get(offer.task_id);
    if (running !== undefined) return this.#offerAgain(running, offer);
    const handler = this.#handlerOf(offer.kind);
    if (handler === undefined) return this.#refuse(offer, `no handler for ${offer.kind}`);
    const begun = this.#begun();
    const queued = begun >= this.#options.slots;
    const room = this.#options.slots + Number(this.#options.prefetch && this.#options.slots > 0);
    if (queued && this.#runs.size >= room) return this.#refuse(offer, "no free slot");
    if (this.#accept(offer, queued)) this.#take(offer, handler, queued);
  }

  cancel({ task_id, fence, reason }: PayloadOf<"task_cancel">): void {
    const run = this.#runs.get(task_id);
    if (run === undefined || run.fence > fence) return;
    this.#abort(run, reason);
    this.#beginNext();
  }

  /** Aborts everything; nothing more is sent. */
  stop(reason: string): void {
    this.#link = null;
    this.#outbox.clear();
    for (const run of this.#runs.values()) this.#abort(run, reason);
  }

  /** The mesh lost sight of an attempt that still runs here: the work goes on as the newer attempt. */
  #offerAgain(run: Run, offer: TaskOffer): void {
    if (offer.fence < run.fence || !this.#accept(offer, run.begin !== null)) return;
    run.fence = offer.fence;
    run.ticket = offer.upload;
    run.renewal.lease(offer.lease_seconds * SECOND);
  }

  #handlerOf(kind: string): Handler | undefined {
    const { handlers } = this.#options;
    return Object.hasOwn(handlers, kind) ? handlers[kind] : handlers["*"];
  }

  #accept({ task_id, fence }: Pick<TaskOffer, "task_id" | "fence">, queued: boolean): boolean {
    const message = { task_id, fence, ...(queued && { queued }) };
    return typeof this.#link?.send("task_accept", message) === "string";
  }

  #refuse({ task_id, fence, kind }: TaskOffer, reason: string): void {
    this.#link?.send("task_refuse", { task_id, fence, reason });
    this.#options.emit({ type: "task_refused", taskId: task_id, kind, reason });
  }

  /** Keeps the lease from now on; the work itself begins at once, or when a slot is free. */
  #take(offer: TaskOffer, handler: Handler, queued: boolean): void {
    const { task_id: taskId, kind } = offer;
    const abort = new AbortController();
    const renewal = new Renewal(offer.lease_seconds * SECOND, this.#options.now, (progress) => {
      const waits = run.begin !== null && { queued: true };
      this.#link?.send("task_progress", {
        task_id: taskId,
        fence: run.fence,
        ...waits,
        ...progress,
      });
    });
    const begin = () => void this.#run(run, offer, handler);
    const run: Run = {
      taskId,
      kind,
      abort,
      renewal,
      begin,
      fence: offer.fence,
      ticket: offer.upload,
    };
    this.#runs.set(taskId, run);
    if (!queued) this.#begin(run);
  }

  #begin(run: Run): void {
    const { begin } = run;
    run.begin = null;
    begin?.();
  }

  /** A slot may be free: what waited for one begins, if the mesh can be told. */
  #beginNext(): void {
    if (this.#begun() >= this.#options.slots) return;
    const next = [...this.#runs.values()].find(({ begin }) => begin !== null);
    if (next === undefined) return;
    if (this.#accept({ task_id: next.taskId, fence: next.fence }, false)) this.#begin(next);
  }

  #begun(): number {
    return [...this.#runs.values()].filter(({ begin }) => begin === null).length;
  }

  async #run(run: Run, offer: TaskOffer, handler: Handler): Promise<void> {
    const { taskId, kind, renewal, abort } = run;
    const { attempt } = offer;
    this.#options.emit({ type: "task_started", taskId, kind, attempt });
    const progress = (fraction?: number, message?: string): void => {
      if (this.#holds(run)) renewal.report(progressOf(fraction, message));
    };
    const context = { taskId, kind, attempt, signal: abort.signal, progress };
    const way = { sealTo: offer.seal_to ?? null, large: offer.upload !== undefined };
    const outcome = await outcomeOf(() => handler(offer.payload, context), way);
    if (!this.#holds(run)) return;
    if ("large" in outcome) await this.#upload(run, outcome.large, outcome.sealed);
    else this.#finish(run, outcome);
    this.#beginNext();
  }

  /** The lease is kept while the result is on its way; once it is there the task has ended. */
  async #upload(run: Run, bytes: Bytes, sealed: boolean): Promise<void> {
    const { taskId, kind, fence, ticket = "" } = run;
    try {
      const { signal } = run.abort;
      await this.#options.upload({ taskId, fence, ticket, bytes, sealed, signal });
    } catch (error) {
      if (!this.#holds(run)) return;
      // A newer attempt has taken the work over meanwhile: the result is its.
      if (run.fence !== fence) return this.#upload(run, bytes, sealed);
      const reason = error instanceof Error ? error.message : String(error);
      // Another has the task by now, or this result was there already and only the answer was lost: nothing is left to say.
      if (error instanceof MusterApiError && error.code === "lease_lost")
        return this.#abort(run, reason);
      return this.#finish(run, { ok: false, error: reason, retry: true });
    }
    if (!this.#holds(run)) return;
    this.#forget(run);
    this.#options.emit({ type: "task_succeeded", taskId, kind });
  }

  /** False once the run was cancelled, even if another attempt of its task runs by now. */
  #holds(run: Run): boolean {
    return this.#runs.get(run.taskId) === run;
  }

  #finish(run: Run, outcome: Exclude<Outcome, { large: unknown }>): void {
    this.#forget(run);
    const message = { task_id: run.taskId, fence: run.fence, ...outcome };
    const sent = typeof this.#link?.send("task_result", message) === "string";
    const now = this.#options.now();
    this.#outbox.keep(message, sent ? now : null, now);
    const task = { taskId: run.taskId, kind: run.kind };
    if (outcome.ok) this.#options.emit({ type: "task_succeeded", ...task });
    else {
      const { error, retry } = outcome;
      this.#options.emit({ type: "task_failed", ...task, error, retry });
    }
  }

  #abort(run: Run, reason: string): void {
    this.#forget(run);
    run.abort.abort(new DOMException(reason, "AbortError"));
    this.#options.emit({ type: "task_cancelled", taskId: run.taskId, kind: run.kind, reason });
  }

  #forget(run: Run): void {
    this.#runs.delete(run.taskId);
    run.renewal.stop();
  }
}
