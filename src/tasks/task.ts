import type { Millis } from "../base/clock.ts";
import type { ExactJson } from "../base/json-text/json-text.ts";
import type { AttemptView, Requirements, TaskState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { TraceContext } from "../protocol/trace-context.ts";

/** A task as the registry stores it. */
export interface Task {
  readonly id: string;
  readonly kind: string;
  readonly payload: ExactJson;
  /** Whether the payload was dropped some time after the task's end: it is null then. */
  readonly payloadDropped: boolean;
  readonly state: TaskState;
  /** How it was submitted: `api`, `peer`, or `webhook:` and the source's name. */
  readonly source: string;
  /** The owner, which alone sees the task besides admins and viewers: a token's ID, `admin`, or a peer's ID. */
  readonly owner: string;
  /** The trace that its submission belongs to; null: none was named. */
  readonly trace: TraceContext | null;
  /** The cells that were compared when the task was submitted; absent if there was no choice. */
  readonly considered?: readonly number[];
  readonly requirements: Requirements;
  readonly priority: number;
  /** At most `limit` tasks of its owner with this key run at once; null: no such limit. */
  readonly concurrency: { readonly key: string; readonly limit: number } | null;
  /** Its position in the queue, by `turnOf`: smaller goes first. */
  readonly queuePosition: number;
  readonly createdAt: Millis;
  readonly deadlineAt: Millis;
  /** The task is not offered before this: the caller's wish, or the pause after a failure. */
  readonly notBefore: Millis;
  readonly endedAt: Millis | null;
  readonly maxAttempts: number;
  /** How often the task was put back into the queue after its end. */
  readonly retries: number;
  /** When that was done last; null: never, or by an older version. */
  readonly retriedAt: Millis | null;
  readonly leaseMs: number;
  /** The first pause after a failure, and the longest. */
  readonly backoffMs: Millis;
  readonly backoffMaxMs: Millis;
  /** How long one attempt may take from its beginning. */
  readonly attemptTimeoutMs: Millis;
  /** Fence of the current attempt; 0 before the first. That of the newest one, unless an older one was resumed. */
  readonly fence: number;
  /** Fence of the newest attempt. The next one gets the next number. */
  readonly lastFence: number;
  /** Attempts that count against `maxAttempts`: those that failed or took too long. */
  readonly attemptsUsed: number;
  /** Begun attempts that were lost to infrastructure, and how many of them the task may lose. */
  readonly interruptions: number;
  readonly maxInterruptions: number;
  /** When the running attempt has taken too long; null while no peer has begun one. */
  readonly attemptUntil: Millis | null;
  /**
   * When the current attempt is given up, because its offer was not accepted or its lease ended. Null while no peer
   * holds the task.
   */
  readonly leaseUntil: Millis | null;
  /** Whether its holder has prefetched it: it waits there for a slot, and moves to another peer that has one free. */
  readonly prefetched: boolean;
  readonly peerId: PeerId | null;
  readonly progress: number | null;
  /** The newest progress that its peer reported. */
  readonly message: string | null;
  readonly result: ExactJson;
  readonly error: string | null;
}

export type AttemptState = AttemptView["state"];

/** One try at a task by one peer. */
export interface Attempt {
  readonly taskId: string;
  readonly fence: number;
  readonly peerId: PeerId;
  readonly peerName: string;
  /** The peer's score when it was chosen. */
  readonly score: number;
  readonly state: AttemptState;
  readonly startedAt: Millis;
  /** When the peer began to work on it; null when it did not, or does not report it. */
  readonly begunAt: Millis | null;
  readonly endedAt: Millis | null;
  readonly error: string | null;
  /** How often the task had been retried when it was offered. */
  readonly retries: number;
  /** For a refused attempt: how often in a row the peer has refused the task; else 0. */
  readonly refusals: number;
}

export const isEnded = (state: TaskState): boolean =>
  state === "succeeded" || state === "failed" || state === "cancelled" || state === "expired";

/** Whether a peer holds the task now. */
export const isHeld = (state: TaskState): boolean => state === "leased" || state === "running";
