import type { Millis } from "../../base/clock.ts";
import type { SubmitTaskInput, TaskState } from "../../protocol/http.ts";
import type { OptionNames } from "../known-options.ts";
import { SUBMIT_OPTIONS, type SubmitOptions } from "../tasks/submission.ts";

export interface SubmitAndWaitOptions extends SubmitOptions {
  /** How long the mesh may wait for the task's end before it answers, in milliseconds, at most 25 s; default: 0. */
  readonly waitMs?: Millis;
}

export const SUBMIT_AND_WAIT_OPTIONS: OptionNames<SubmitAndWaitOptions> = {
  ...SUBMIT_OPTIONS,
  waitMs: "number",
};

/** Which tasks a list has. */
export interface TaskFilter {
  readonly state?: TaskState;
  readonly kind?: string;
  readonly owner?: string;
  /** How they came: `api`, `peer`, or `webhook:` and the name of a source. */
  readonly source?: string;
  /** Tasks that this peer holds, or ended. */
  readonly peerId?: string;
  /** How many tasks one request returns; default: 100. */
  readonly pageSize?: number;
}

export const TASK_FILTER: OptionNames<TaskFilter> = {
  state: "string",
  kind: "string",
  owner: "string",
  source: "string",
  peerId: "string",
  pageSize: "number",
};

/** A task of a batch, as the HTTP API describes it. The payload is any value that JSON can hold, or a `JsonText`. */
export type BatchTask = Omit<SubmitTaskInput, "payload"> & { readonly payload?: unknown };

export type BatchOptions = Pick<
  SubmitOptions,
  "idempotencyKey" | "traceparent" | "tracestate" | "signal"
>;

export const BATCH_OPTIONS: OptionNames<BatchOptions> = {
  idempotencyKey: "string",
  traceparent: "string",
  tracestate: "string",
  signal: "signal",
};
