import type { TaskView } from "../protocol/http.ts";

/**
 * Why a peer is not, or no longer, part of the mesh. The peer does not come back by itself:
 * - `mesh_key_mismatch`: the mesh has another key than the pinned one;
 * - `mesh_unproved`: whoever answered does not hold the key that it names;
 * - `handshake_refused`: the mesh answered the handshake with a no;
 * - `not_allowed`, `revoked`: the mesh does not admit this key;
 * - `rotated`: the peer has another key now, and this one never comes back;
 * - `join_key_invalid`: the mesh does not take this join key;
 * - `downgrade_refused`: this key has spoken muster.2 and may not come by go-p2p 1.0;
 * - `superseded`: a newer session of the same key took over;
 * - `rotation_failed`: of `rotate()` alone: the mesh did not take the new key;
 * - `closed`: `peer.close()` was called before the mesh said welcome.
 */
export type PeerErrorCode =
  | "mesh_key_mismatch"
  | "mesh_unproved"
  | "handshake_refused"
  | "not_allowed"
  | "revoked"
  | "rotated"
  | "join_key_invalid"
  | "downgrade_refused"
  | "superseded"
  | "rotation_failed"
  | "closed";

/** Ends a peer: `peer.ready` and `peer.closed` reject with it. Tell them apart by `code`. */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;

  constructor(code: PeerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What the caller gave can't be right: thrown before anything is done. */
export class OptionsError extends TypeError {
  override readonly name = "OptionsError";
}

/** Thrown by a task handler to say whether another try makes sense; any other error means yes. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly retry: boolean;

  constructor(message: string, options: { readonly retry?: boolean } = {}) {
    super(message);
    this.retry = options.retry ?? true;
  }
}

/**
 * The mesh said no, over HTTP or to what a peer asked in its session. `code` is the problem document's, or one of the
 * client's own: `unreachable` (no answer), `invalid_response` (an answer that is not of the API).
 */
export class MusterApiError extends Error {
  override readonly name = "MusterApiError";
  readonly code: string;
  /** HTTP status, or what it would be; 0 when there was no answer. */
  readonly status: number;
  readonly detail: string;
  /** Seconds after which trying again makes sense, when the mesh says so. */
  readonly retryAfter: number | undefined;

  constructor(
    code: string,
    status: number,
    detail: string,
    options: { readonly retryAfter?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.retryAfter = options.retryAfter;
  }
}

/** The task that `run` waited for ended otherwise than in success; `code` is its state. */
export class TaskFailed extends Error {
  override readonly name = "TaskFailed";
  readonly code: TaskView["state"];
  readonly task: TaskView;

  constructor(task: TaskView) {
    super(`task ${task.id} ${task.state}${task.error === null ? "" : `: ${task.error}`}`);
    this.code = task.state;
    this.task = task;
  }
}

/** The task had not ended when the caller's patience did. It goes on; `task` is its last known state. */
export class WaitTimeout extends Error {
  override readonly name = "WaitTimeout";
  readonly code = "wait_timeout";
  readonly task: TaskView;

  constructor(task: TaskView) {
    super(`task ${task.id} is still ${task.state}`);
    this.task = task;
  }
}
