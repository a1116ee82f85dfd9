/** Acts on many tasks at once, and the failed tasks by the reasons of their failures. */
import { z } from "zod";
import { BULK_IDS_MAX, TASK_ERROR_CHARS_MAX } from "../constants.ts";
import { PeerId, Uuid } from "../ids.ts";
import { TaskKind } from "../labels.ts";
import { MissingCells, Time } from "./page.ts";
import { RetryTask } from "./tasks.ts";

const AnyTime = z.iso.datetime({ offset: true });

/** States of a task that can be cancelled, and of one that can be retried. */
export const CANCELLABLE_STATES = ["queued", "leased", "running"] as const;
export const RETRYABLE_STATES = ["failed", "expired", "cancelled"] as const;

const filterOf = <const S extends readonly [string, ...string[]]>(states: S, id: string) =>
  z
    .strictObject({
      state: z.enum(states).optional(),
      kind: TaskKind.optional(),
      source: z.string().max(80).optional(),
      peer_id: PeerId.optional().meta({
        description: "The peer that has the lease, or that ended the task",
      }),
      owner: z
        .string()
        .max(100)
        .optional()
        .meta({ description: "A token's ID, `admin`, or a peer's ID" }),
      created_after: AnyTime.optional(),
      created_before: AnyTime.optional(),
      error_contains: z.string().min(1).max(200).optional().meta({
        description: "The task's error contains this text, in upper or lower case",
      }),
    })
    .refine((filter) => Object.values(filter).some((value) => value !== undefined), {
      message: "a filter names at least one condition",
    })
    .meta({ id });

const selectionOf = <F extends z.ZodType>(filter: F) => ({
  ids: z.array(Uuid).min(1).max(BULK_IDS_MAX).optional(),
  filter: filter.optional(),
  dry_run: z.boolean().default(false).meta({ description: "Change nothing" }),
  cursor: z.string().max(100).optional().meta({
    description: "`next_cursor` of the answer before, with the same selection",
  }),
});

const selectsOnce = ({ ids, filter }: { readonly ids?: unknown; readonly filter?: unknown }) =>
  (ids === undefined) !== (filter === undefined);
const SELECTS_ONCE = { message: "name either ids or a filter" };

export const CancelTasks = z
  .strictObject(selectionOf(filterOf(CANCELLABLE_STATES, "CancelFilter")))
  .refine(selectsOnce, SELECTS_ONCE)
  .meta({ id: "CancelTasksRequest" });
export type CancelTasks = z.infer<typeof CancelTasks>;

export const RetryTasks = z
  .strictObject({ ...selectionOf(filterOf(RETRYABLE_STATES, "RetryFilter")), ...RetryTask.shape })
  .refine(selectsOnce, SELECTS_ONCE)
  .meta({ id: "RetryTasksRequest" });
export type RetryTasks = z.infer<typeof RetryTasks>;

/** What one piece of an act did, or with `dry_run` would do. */
export const BulkView = z
  .object({
    count: z.int().meta({ description: "Tasks that were changed, or would be, in this piece" }),
    task_ids: z.array(Uuid).meta({ description: "The first 20 of them" }),
    skipped: z.array(z.object({ id: Uuid, code: z.string() })).meta({
      description:
        "The named tasks that the act does not concern, and why: `not_found`, `task_ended`, or `conflict` (not ended); and tasks of an owner whose limit is reached (`owner_queue_full`, `owner_bytes_full`) or whose payload is not stored any more (`payload_dropped`)",
    }),
    next_cursor: z.string().nullable().meta({
      description: "Send the same request with it to continue; null when all is done",
    }),
    missing_cells: MissingCells,
  })
  .meta({ id: "BulkAct" });
export type BulkView = z.infer<typeof BulkView>;

export const FailuresQuery = z.strictObject({
  state: z.enum(["failed", "expired"]).optional(),
  kind: TaskKind.optional(),
  owner: z.string().max(100).optional(),
  ended_after: AnyTime.optional(),
  ended_before: AnyTime.optional(),
});

const FailureGroup = z
  .object({
    kind: TaskKind,
    state: z.enum(["failed", "expired"]),
    reason: z.string().meta({
      description: "The error, with `<n>`, `<id>` and `<hex>` in place of numbers and IDs",
    }),
    count: z.int(),
    first_at: Time,
    last_at: Time,
    error: z
      .string()
      .max(TASK_ERROR_CHARS_MAX)
      .nullable()
      .meta({ description: "The newest one, in full" }),
    task_ids: z.array(Uuid).meta({ description: "The newest 5" }),
    peers: z.array(z.object({ peer_id: PeerId, count: z.int() })).meta({
      description: "The 5 peers that ended most of these tasks",
    }),
    peer_count: z.int(),
  })
  .meta({ id: "FailureGroup" });

export const FailuresView = z
  .object({
    groups: z.array(FailureGroup).meta({ description: "At most 100, the largest first" }),
    count: z.int().meta({ description: "Tasks that match, also those of groups not shown" }),
    group_count: z.int(),
    complete: z.boolean().meta({
      description:
        "False when there are more unsuccessful tasks than the newest ones that were read",
    }),
    missing_cells: MissingCells,
  })
  .meta({ id: "Failures" });
export type FailuresView = z.infer<typeof FailuresView>;
