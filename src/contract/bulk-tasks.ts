import type { Millis } from "../base/clock.ts";
import type { BulkView, CancelTasks, FailuresView, RetryTasks } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";

/** Acts on many tasks, in pieces: each command changes a bounded number of tasks, and answers where the next one begins. */
export interface BulkTaskCommands {
  cancel_tasks: { caller: "gateway"; input: Selection<CancelTasks>; output: BulkView };
  retry_tasks: { caller: "gateway"; input: Selection<RetryTasks>; output: BulkView };
  /** What the next piece of such an act would change. */
  preview_tasks: {
    caller: "gateway";
    input:
      | ({ readonly act: "cancel" } & Selection<CancelTasks>)
      | ({ readonly act: "retry" } & Selection<RetryTasks>);
    output: BulkView;
  };
  list_failures: {
    caller: "gateway";
    input: {
      readonly state?: "failed" | "expired" | undefined;
      readonly kind?: string | undefined;
      readonly owner?: string | undefined;
      readonly ended_after?: string | undefined;
      readonly ended_before?: string | undefined;
      readonly visibleTo: string | null;
      /** Set by a route that adds the answers of several cells, never by a caller. */
      readonly withTimes?: boolean;
    };
    /** `times`: when each of the shown tasks of each group ended, if the route asked. */
    output: FailuresView & { readonly times?: readonly (readonly Millis[])[] };
  };
}

/** `visibleTo`: as in `TaskInput`. */
type Selection<T> = Omit<T, "dry_run"> & { readonly visibleTo: string | null };

export const BULK_TASK_CALLERS: CallersOf<BulkTaskCommands> = {
  cancel_tasks: "gateway",
  retry_tasks: "gateway",
  preview_tasks: "gateway",
  list_failures: "gateway",
};
