import type { BulkView, CANCELLABLE_STATES, RETRYABLE_STATES } from "../../protocol/http.ts";
import { answer } from "../clients/answers.ts";
import { BULK_IDS_MAX } from "../../protocol/constants.ts";
import type { Api } from "../http/api.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { RETRY_OPTIONS, retryBody, type RetryOptions } from "./retry-options.ts";

/** The conditions that a task must meet, all of them. */
interface TaskFilter<State extends string> {
  readonly state?: State;
  readonly kind?: string;
  /** `api`, `peer`, or `webhook:` and the name of a source. */
  readonly source?: string;
  /** The peer that has the lease, or that ended the task. */
  readonly peerId?: string;
  /** A token's ID, `admin`, or a peer's ID. */
  readonly owner?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  /** In upper or lower case. */
  readonly errorContains?: string;
}

const TASK_FILTER: OptionNames<TaskFilter<string>> = {
  state: "string",
  kind: "string",
  source: "string",
  peerId: "string",
  owner: "string",
  createdAfter: "date",
  createdBefore: "date",
  errorContains: "string",
};

/** The tasks that an act concerns: these, or those that meet a filter. */
type TaskSelection<State extends string> = readonly string[] | TaskFilter<State>;
export type CancelSelection = TaskSelection<(typeof CANCELLABLE_STATES)[number]>;
/** Without `state`, failed and expired tasks. */
export type RetrySelection = TaskSelection<(typeof RETRYABLE_STATES)[number]>;

export interface BulkOptions {
  /** Change nothing: say what would be done. */
  readonly dryRun?: boolean;
  /** Called after each request, with what was done until then. */
  readonly onProgress?: (done: BulkOutcome) => void;
  readonly signal?: AbortSignal;
}
const BULK_OPTIONS: OptionNames<BulkOptions> = {
  dryRun: "boolean",
  onProgress: "function",
  signal: "signal",
};

export type BulkRetryOptions = BulkOptions & RetryOptions;

export interface BulkOutcome {
  /** Tasks that were changed, or with `dryRun` would be. */
  readonly count: number;
  /** The first 20 of them. */
  readonly taskIds: readonly string[];
  /** The named tasks that the act does not concern, and the error code that says why. */
  readonly skipped: BulkView["skipped"];
}

const IDS_SHOWN = 20;

export async function cancelMany(
  api: Api,
  selection: CancelSelection,
  options: BulkOptions,
): Promise<BulkOutcome> {
  refuseUnknownFields("tasks.cancelMany", selection);
  refuseUnknownOptions("tasks.cancelMany", options, BULK_OPTIONS);
  return actOnMany(api, "v1/tasks/cancel", selection, {}, options);
}

export async function retryMany(
  api: Api,
  selection: RetrySelection,
  options: BulkRetryOptions,
): Promise<BulkOutcome> {
  refuseUnknownFields("tasks.retryMany", selection);
  refuseUnknownOptions("tasks.retryMany", options, { ...BULK_OPTIONS, ...RETRY_OPTIONS });
  return actOnMany(api, "v1/tasks/retry", selection, retryBody(options), options);
}

/** A misspelled condition would select more tasks than meant. */
function refuseUnknownFields(method: string, selection: TaskSelection<string>): void {
  if (!isList(selection)) refuseUnknownOptions(method, selection, TASK_FILTER);
}

/** Repeats the request until the mesh has done all. Each request may be repeated: a task is not changed twice. */
async function actOnMany(
  api: Api,
  path: string,
  selection: TaskSelection<string>,
  more: object,
  { dryRun = false, onProgress, signal }: BulkOptions,
): Promise<BulkOutcome> {
  let done: BulkOutcome = { count: 0, taskIds: [], skipped: [] };
  for (const part of partsOf(selection)) {
    let cursor: string | null | undefined;
    do {
      const body = { ...part, ...more, dry_run: dryRun, cursor };
      const request = { method: "POST", path, body, idempotent: true, signal } as const;
      const piece = await api.json(answer("BulkView"), request);
      done = {
        count: done.count + piece.count,
        taskIds: [...done.taskIds, ...piece.task_ids].slice(0, IDS_SHOWN),
        skipped: [...done.skipped, ...piece.skipped],
      };
      onProgress?.(done);
      cursor = piece.next_cursor;
    } while (cursor !== null);
  }
  return done;
}

/** The selection as bodies of requests: one, or as many as the IDs need. */
function partsOf(selection: TaskSelection<string>): readonly object[] {
  if (!isList(selection)) return [{ filter: filterBody(selection) }];
  const ids = [...new Set(selection)];
  const count = Math.ceil(ids.length / BULK_IDS_MAX);
  return Array.from({ length: count }, (_, part) => ({
    ids: ids.slice(part * BULK_IDS_MAX, (part + 1) * BULK_IDS_MAX),
  }));
}

const isList = (selection: TaskSelection<string>): selection is readonly string[] =>
  Array.isArray(selection);

/** Fields that are undefined are left out of the JSON. */
const filterBody = (filter: TaskFilter<string>) => ({
  state: filter.state,
  kind: filter.kind,
  source: filter.source,
  peer_id: filter.peerId,
  owner: filter.owner,
  created_after: filter.createdAfter?.toISOString(),
  created_before: filter.createdBefore?.toISOString(),
  error_contains: filter.errorContains,
});

export interface FailuresFilter {
  readonly state?: "failed" | "expired";
  readonly kind?: string;
  readonly owner?: string;
  readonly endedAfter?: Date;
  readonly endedBefore?: Date;
}

const FAILURES_FILTER: OptionNames<FailuresFilter> = {
  state: "string",
  kind: "string",
  owner: "string",
  endedAfter: "date",
  endedBefore: "date",
};

/** Throws an `OptionsError` if a condition does not exist. */
export function failuresQuery(filter: FailuresFilter) {
  refuseUnknownOptions("tasks.failures", filter, FAILURES_FILTER);
  return {
    state: filter.state,
    kind: filter.kind,
    owner: filter.owner,
    ended_after: filter.endedAfter?.toISOString(),
    ended_before: filter.endedBefore?.toISOString(),
  };
}
