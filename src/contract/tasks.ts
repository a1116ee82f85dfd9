import type { Millis } from "../base/clock.ts";
import type { ExactJson } from "../base/json-text/json-text.ts";
import type {
  BatchView,
  KindSettingsBody,
  KindSettingsView,
  RetryTask,
  SubmitTask,
  TaskState,
  TaskStats,
  TaskSummary,
  TaskView,
  WhyView,
} from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { PayloadOf, TaskResult } from "../protocol/messages.ts";
import type { ResultContent } from "../protocol/result-content.ts";
import type { TraceContext } from "../protocol/trace-context.ts";
import type { ResultExtra } from "../registry/task-results.ts";
import type { CallersOf } from "./caller.ts";
import type {
  SessionInput,
  Empty,
  AttemptInput,
  TaskInput,
  PageInput,
  PageOutput,
} from "./inputs.ts";

/** Tasks: submitted by callers and controllers, attempted by workers. */
export interface TaskCommands {
  // From the session of a worker.
  accept_task: {
    caller: "session";
    input: AttemptInput & Queued & { readonly at?: Millis | undefined };
    output: Leased;
  };
  refuse_task: {
    caller: "session";
    input: AttemptInput & { readonly reason: string };
    output: Empty;
  };
  /** The peer gives the task up, because it drains or closes. `begun`: whether it may have begun it. */
  release_task: {
    caller: "session";
    input: AttemptInput & { readonly reason: string; readonly begun: boolean };
    output: Empty;
  };
  progress_task: {
    caller: "session";
    input: AttemptInput &
      Queued & { readonly progress: number | null; readonly message?: string | null };
    output: Leased;
  };
  finish_task: {
    caller: "session";
    /**
     * `begunAt`: when the attempt began, if its acceptance is not a command of its own. `forPeer`: the peer can't upload a large
     * result, so its session stores it.
     */
    input: SessionInput & {
      readonly outcome: TaskResult;
      readonly begunAt?: Millis | undefined;
      readonly forPeer?: boolean | undefined;
    };
    output: Empty;
  };

  // From the session of a controller.
  assign_task: {
    caller: "session";
    input: SessionInput &
      Pick<SubmitInput, "trace"> & { readonly task: SubmitTask; readonly key: string | null };
    output: PayloadOf<"task_shown">;
  };
  query_task: {
    caller: "session";
    input: SessionInput & { readonly id: string };
    output: PayloadOf<"task_shown">;
  };
  recall_task: {
    caller: "session";
    input: SessionInput & { readonly id: string };
    output: PayloadOf<"task_shown">;
  };
  retry_own_task: {
    caller: "session";
    input: SessionInput & RetryTask & { readonly id: string };
    output: PayloadOf<"task_shown">;
  };

  submit_task: {
    caller: "gateway";
    input: SubmitInput;
    output: { readonly task: TaskView; readonly duplicate: boolean };
  };
  /** The same for a caller that reads the task later. */
  enqueue_task: {
    caller: "gateway";
    input: SubmitInput;
    output: { readonly id: string; readonly duplicate: boolean };
  };
  submit_batch: {
    caller: "gateway";
    input: Omit<SubmitInput, "task"> & { readonly tasks: readonly SubmitTask[] };
    output: BatchView;
  };
  get_task: { caller: "gateway"; input: TaskInput; output: TaskView };
  list_tasks: {
    caller: "gateway";
    input: ListTasksInput;
    output: PageOutput & { readonly tasks: TaskSummary[] };
  };
  cancel_task: { caller: "gateway"; input: TaskInput; output: TaskView };
  retry_task: { caller: "gateway"; input: TaskInput & RetryTask; output: TaskView };
  task_stats: { caller: "gateway"; input: Pick<TaskInput, "visibleTo">; output: TaskStats };
  list_kinds: { caller: "gateway"; input: Empty; output: { readonly kinds: KindSettingsView[] } };
  get_kind: { caller: "gateway"; input: KindInput; output: KindSettingsView };
  put_kind: {
    caller: "gateway";
    input: KindInput & { readonly settings: KindSettingsBody };
    output: KindSettingsView;
  };
  delete_kind: { caller: "gateway"; input: KindInput; output: Empty };
  why_task: {
    caller: "gateway";
    input: TaskInput & { readonly attempt?: number | undefined };
    output: WhyView;
  };

  /** The payload that did not fit the offer of an attempt, for the attempt's peer. */
  read_payload: {
    caller: "gateway";
    input: Omit<AttemptInput, "epoch">;
    output: { readonly payload: ExactJson };
  };
  // A large result goes from the gateway straight into the blob store; the coordinator reserves its place and records it.
  begin_result: {
    caller: "gateway";
    input: Omit<AttemptInput, "epoch">;
    output: ResultUpload;
  };
  /** The bytes are in the store. The peer's session commits them (`finish_task`). */
  result_uploaded: {
    caller: "gateway";
    input: Omit<AttemptInput, "epoch"> & ResultContent & { readonly blobId: string };
    output: Empty;
  };
  read_result: { caller: "gateway"; input: TaskInput; output: StoredResult };
  /** The same for the peer that submitted the task over its session. */
  read_own_result: {
    caller: "gateway";
    input: { readonly id: string; readonly peerId: PeerId };
    output: StoredResult;
  };

  offer_failed: { caller: "mesh"; input: OfferFailedInput; output: Empty };
  result_deleted: { caller: "mesh"; input: { readonly blobId: string }; output: Empty };
}

export const TASK_CALLERS: CallersOf<TaskCommands> = {
  accept_task: "session",
  refuse_task: "session",
  release_task: "session",
  progress_task: "session",
  finish_task: "session",
  assign_task: "session",
  query_task: "session",
  recall_task: "session",
  retry_own_task: "session",
  submit_task: "gateway",
  enqueue_task: "gateway",
  submit_batch: "gateway",
  get_task: "gateway",
  list_tasks: "gateway",
  cancel_task: "gateway",
  retry_task: "gateway",
  task_stats: "gateway",
  list_kinds: "gateway",
  get_kind: "gateway",
  put_kind: "gateway",
  delete_kind: "gateway",
  why_task: "gateway",
  read_payload: "gateway",
  begin_result: "gateway",
  result_uploaded: "gateway",
  read_result: "gateway",
  read_own_result: "gateway",
  offer_failed: "mesh",
  result_deleted: "mesh",
};

/** When the attempt's lease ends unless it is renewed. */
interface Leased {
  readonly leasedUntil: Millis;
  /** How many attempts the peer holds. */
  readonly held: number;
}

interface KindInput {
  readonly kind: string;
}

interface Queued {
  /** Whether the task waits in the peer for a free slot: the attempt has not begun. */
  readonly queued?: boolean | undefined;
}

export interface SubmitInput {
  readonly task: SubmitTask;
  /** `api`, `peer`, or `webhook:` and the name of the webhook source. */
  readonly source: string;
  /** A token's ID, `admin`, or a peer's ID. */
  readonly owner: string;
  readonly idempotency: { readonly key: string; readonly scope: string } | null;
  /** The cells that the gateway has compared; absent if there was no choice. */
  readonly considered?: readonly number[] | undefined;
  /** The trace that the request belongs to. It is no part of what an idempotency key compares: each repetition has a span of its own. */
  readonly trace?: TraceContext | null | undefined;
}

interface ListTasksInput extends PageInput {
  readonly state?: TaskState | undefined;
  readonly kind?: string | undefined;
  readonly source?: string | undefined;
  readonly owner?: string | undefined;
  readonly peer_id?: PeerId | undefined;
  readonly created_after?: string | undefined;
  readonly created_before?: string | undefined;
  /** The owner whose tasks the caller may see; null when the caller may see every task. */
  readonly visibleTo: string | null;
}

/** The result of a task that has succeeded. */
interface StoredResult {
  readonly result: ExactJson;
  readonly extra: ResultExtra;
  /** The fencing number of the attempt that succeeded. */
  readonly fence: number;
}

interface ResultUpload {
  /** Whether the result must be sealed to its caller's key, and that key in hex. */
  readonly sealed: boolean;
  readonly sealTo: string | null;
  /** Where the result must be stored. */
  readonly blobId: string;
}

/** An offer that did not reach its peer. */
interface OfferFailedInput extends AttemptInput {
  readonly reason: string;
  /** `gone`: there is no such session. `silent`: its peer has not been heard for too long. `unknown`: no answer. */
  readonly session: "gone" | "silent" | "unknown";
}
