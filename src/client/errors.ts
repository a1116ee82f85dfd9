import type { TaskView } from "../protocol/http.ts";
import type { Task } from "./tasks/task.ts";

/**
 * Why a peer is not, or no longer, part of the mesh. After each of these the peer does not reconnect:
 * - `mesh_key_mismatch`: the mesh has another key than the pinned one;
 * - `mesh_unproved`: the server did not prove the key that it claims;
 * - `handshake_refused`: the mesh refused the handshake;
 * - `not_allowed`, `revoked`: the mesh does not admit this key;
 * - `rotated`: the peer has another key now, and this one is barred;
 * - `join_key_invalid`: the join key is unknown, expired, revoked or used up;
 * - `downgrade_refused`: this key has connected by muster.2 and may not connect by go-p2p;
 * - `superseded`: a newer session of the same key is active;
 * - `handlers_not_loaded`: the module of `handlersModule` can't be loaded, or exports no handlers;
 * - `closed`: `peer.close()` was called before the first welcome.
 *
 * `rotate()` alone throws `rotation_failed` (the peer keeps its key and its session) and `rotation_unknown` (the peer ended before
 * the mesh answered: either key may be valid, so keep both).
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
  | "rotation_unknown"
  | "handlers_not_loaded"
  | "closed";

/** The reason with which `peer.ready` and `peer.closed` reject. Distinguish the errors by `code`. */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;
  /** The task that the call was about, which may go on. */
  readonly taskId: string | undefined;

  constructor(code: PeerErrorCode, message: string, taskId?: string) {
    super(withTaskId(message, taskId));
    this.code = code;
    this.taskId = taskId;
  }
}

/** An argument is not valid. Thrown before anything was done. */
export class OptionsError extends TypeError {
  override readonly name = "OptionsError";
}

/** Thrown by a handler: `retry: false` makes the failure final. After any other error the mesh tries again. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly retry: boolean;

  constructor(message: string, options: { readonly retry?: boolean } = {}) {
    super(message);
    this.retry = options.retry ?? true;
  }
}

/**
 * The mesh refused a request, over HTTP or over a session. `code` is the code of the problem document, or one of the
 * SDK's own: `unreachable` (no answer in time), `invalid_response` (the answer is not one of the API, or not signed by the mesh),
 * `mesh_unproved` (the server does not hold the pinned mesh key).
 */
export class MusterApiError extends Error {
  override readonly name = "MusterApiError";
  readonly code: string;
  /** The HTTP status, also for requests over a session; 0 if there was no answer. */
  readonly status: number;
  readonly detail: string;
  /** Seconds after which to retry, if the mesh named them. */
  readonly retryAfter: number | undefined;
  /** Where the mesh that answered explains the code; undefined if no answer named one. */
  readonly helpUrl: string | undefined;
  /** The task that the call was about. If the mesh does not answer, the task goes on: `tasks.wait(taskId)` waits for it again. */
  readonly taskId: string | undefined;
  /**
   * The key of a submission that was not answered: the mesh may have the task or not. Submitting the same again with this
   * `idempotencyKey` makes no second task.
   */
  readonly idempotencyKey: string | undefined;

  constructor(
    code: string,
    status: number,
    detail: string,
    options: {
      readonly retryAfter?: number | undefined;
      readonly helpUrl?: string | undefined;
      readonly taskId?: string | undefined;
      readonly idempotencyKey?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    const { taskId, idempotencyKey: key, cause } = options;
    const repeat =
      key === undefined
        ? ""
        : ` (the task may have been submitted; submit it again with idempotencyKey "${key}")`;
    super(`${code}: ${withTaskId(detail, taskId)}${repeat}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.retryAfter = options.retryAfter;
    this.helpUrl = options.helpUrl;
    this.taskId = taskId;
    this.idempotencyKey = key;
  }
}

const withTaskId = (text: string, id: string | undefined): string =>
  id === undefined || text.includes(id) ? text : `${text} (task ${id})`;

type About = { readonly taskId: string } | { readonly idempotencyKey: string };

/** The same error, which names the task that the call was about, or else the key of its submission. */
export function errorAbout(error: unknown, about: About): unknown {
  if (error instanceof MusterApiError && error.taskId !== undefined) return error;
  if (error instanceof MusterApiError)
    return new MusterApiError(error.code, error.status, error.detail, {
      retryAfter: error.retryAfter,
      helpUrl: error.helpUrl,
      cause: error.cause,
      ...about,
    });
  if (error instanceof PeerError && "taskId" in about)
    return new PeerError(error.code, error.message, about.taskId);
  return error;
}

/** What `work` throws names the task. */
export async function aboutTask<T>(taskId: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw taskId === undefined ? error : errorAbout(error, { taskId });
  }
}

/** The task of `run` ended in another state than `succeeded`; `code` is that state. */
export class TaskFailed extends Error {
  override readonly name = "TaskFailed";
  readonly code: TaskView["state"];
  readonly task: Task;

  /** The task's ID. */
  get taskId(): string {
    return this.task.id;
  }

  constructor(task: Task) {
    super(`task ${task.id} ${task.state}${task.error === null ? "" : `: ${task.error}`}`);
    this.code = task.state;
    this.task = task;
  }
}

/** The task had not ended within `timeoutMs`. The task continues; `task` is its last known state. */
export class WaitTimeout extends Error {
  override readonly name = "WaitTimeout";
  readonly code = "wait_timeout";
  readonly task: Task;

  /** The task's ID. */
  get taskId(): string {
    return this.task.id;
  }

  constructor(task: Task) {
    super(`task ${task.id} is still ${task.state}`);
    this.task = task;
  }
}
