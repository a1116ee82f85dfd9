import type { Millis } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { AttemptView, Requirements, TaskState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";

/** A unit of work as the registry keeps it. */
export interface Task {
  readonly id: string;
  readonly kind: string;
  readonly payload: Json;
  readonly state: TaskState;
  /** `api`, or `webhook:` and the source's name. */
  readonly source: string;
  /** Who gave it, and alone sees it besides admins and viewers: a token's ID, `admin`, or a peer's ID. */
  readonly owner: string;
  readonly requirements: Requirements;
  readonly priority: number;
  /** Its place in the queue, by `turnOf`: smaller goes first. */
  readonly turn: number;
  readonly createdAt: Millis;
  readonly deadlineAt: Millis;
  /** Not offered before this: as its caller asked, or the pause after a failure. */
  readonly notBefore: Millis;
  readonly endedAt: Millis | null;
  readonly maxAttempts: number;
  readonly leaseMs: number;
  /** The first pause after a failure, and the longest. */
  readonly backoffMs: Millis;
  readonly backoffMaxMs: Millis;
  /** Number of the newest attempt; 0 before the first. It is the fence: older ones have lost. */
  readonly fence: number;
  /** Attempts that count against `maxAttempts`: those that a peer had begun, or lost. */
  readonly tries: number;
  /** When the current attempt is given up: unaccepted, or its lease over. Null while nobody holds it. */
  readonly leaseUntil: Millis | null;
  /** Its holder has not begun it: it waits there for a slot, and goes first to a peer that has one free. */
  readonly prefetched: boolean;
  readonly peerId: PeerId | null;
  readonly progress: number | null;
  /** What its peer said last of its progress. */
  readonly message: string | null;
  readonly result: Json;
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
  /** When the peer began to work on it; null when it did not, or never says so. */
  readonly begunAt: Millis | null;
  readonly endedAt: Millis | null;
  readonly error: string | null;
}

export const isEnded = (state: TaskState): boolean =>
  state === "succeeded" || state === "failed" || state === "cancelled" || state === "expired";

/** Whether a peer holds the task now. */
export const isHeld = (state: TaskState): boolean => state === "leased" || state === "running";
