import { UNSETTLED_HANDLER_WARNING } from "../timings.ts";
import type { AttemptTimer } from "./attempt-timer.ts";
import type { LeaseRenewal } from "./lease-renewal.ts";

/** A task that this peer has accepted. */
export interface Run {
  readonly taskId: string;
  readonly kind: string;
  readonly abort: AbortController;
  readonly renewal: LeaseRenewal;
  readonly timer: AttemptTimer;
  /** Starts the handler; null once it was started. It starts when the accept has been sent and a slot is free. */
  start: (() => void) | null;
  /** Whether the handler was called and has not settled. */
  isHandlerRunning: boolean;
  /** The attempt's fence. A newer attempt may continue the running work: it replaces fence and secret. */
  fence: number;
  /** For the payload and the result, where they are not in messages. */
  secret: string | undefined;
}

/** Whether the handler was called, or is about to be. */
export const isStarted = ({ start }: Run): boolean => start === null;

/**
 * The runs of a peer and the slots that they occupy. A run occupies its slot from its acceptance (or, when it was
 * prefetched, from its start) until its handler has settled, also when the attempt ended earlier: an abort only asks a
 * handler to stop.
 */
export class Runs {
  readonly #onUnsettled: (run: Run, unsettled: number) => void;
  readonly #current = new Map<string, Run>();
  /** The runs that wait for a free slot. */
  readonly #prefetched = new Set<Run>();
  /** The runs whose attempt has ended while their handler still runs, with the timer of the warning. */
  readonly #unsettled = new Map<Run, ReturnType<typeof setTimeout>>();

  /** `onUnsettled` is called when a handler has run for `UNSETTLED_HANDLER_WARNING` after its attempt ended. */
  constructor(onUnsettled: (run: Run, unsettled: number) => void) {
    this.#onUnsettled = onUnsettled;
  }

  /** Runs whose attempt has not ended. */
  get current(): readonly Run[] {
    return [...this.#current.values()];
  }

  /** In the order of their acceptance. */
  get prefetched(): readonly Run[] {
    return [...this.#prefetched];
  }

  get occupiedSlots(): number {
    return this.size - this.#prefetched.size;
  }

  /** Runs that occupy a slot or wait for one. */
  get size(): number {
    return this.#current.size + this.#unsettled.size;
  }

  get(taskId: string): Run | undefined {
    return this.#current.get(taskId);
  }

  /** False once the attempt has ended, also if a newer run of the same task exists. */
  isCurrent(run: Run): boolean {
    return this.#current.get(run.taskId) === run;
  }

  isPrefetched(run: Run): boolean {
    return this.#prefetched.has(run);
  }

  /** What a message about an attempt of this run says. */
  acceptOf(run: Run, fence: number) {
    const queued = this.isPrefetched(run) && { queued: true };
    return { task_id: run.taskId, fence, ...queued };
  }

  add(run: Run): void {
    this.#current.set(run.taskId, run);
  }

  setPrefetched(run: Run, isPrefetched: boolean): void {
    if (isPrefetched) this.#prefetched.add(run);
    else this.#prefetched.delete(run);
  }

  /** The attempt has ended. The slot stays occupied while the handler runs. */
  end(run: Run): void {
    this.#current.delete(run.taskId);
    this.#prefetched.delete(run);
    run.renewal.stop();
    run.timer.stop();
    if (!run.isHandlerRunning) return;
    const warn = (): void => this.#onUnsettled(run, this.#unsettled.size);
    this.#unsettled.set(run, setTimeout(warn, UNSETTLED_HANDLER_WARNING));
  }

  /** The handler has settled. */
  handlerSettled(run: Run): void {
    run.isHandlerRunning = false;
    clearTimeout(this.#unsettled.get(run));
    this.#unsettled.delete(run);
  }

  /** The peer has closed: no warning is given any more. */
  stop(): void {
    for (const timer of this.#unsettled.values()) clearTimeout(timer);
  }
}
