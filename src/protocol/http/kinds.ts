import { z } from "zod";
import { CONCURRENCY_MAX, KIND_RATE_MAX, STATS_ROWS_MAX, TASK_DEADLINE_MAX } from "../constants.ts";
import { TaskKind } from "../labels.ts";
import { nullOr } from "../schema/null-or.ts";
import { tolerant } from "../schema/strictness.ts";
import { OwnerLimits } from "./admission.ts";
import { MissingCells } from "./page.ts";

/**
 * What the operator sets for a kind of task; it holds in the whole mesh. Absent or null: not set.
 */
export const KindSettingsBody = z
  .strictObject({
    attempt_timeout_seconds: z
      .number()
      .min(1)
      .max(TASK_DEADLINE_MAX / 1_000)
      .nullable()
      .default(null)
      .meta({
        description:
          "How long an attempt may take, for tasks that are submitted without a value of their own",
      }),
    concurrency: z.int().min(1).max(CONCURRENCY_MAX).nullable().default(null).meta({
      description: "Tasks of the kind that peers have at once",
    }),
    rate: z
      .strictObject({
        per_second: z.number().min(0.001).max(KIND_RATE_MAX),
        burst: z.int().min(1).max(KIND_RATE_MAX).default(1),
      })
      .nullable()
      .default(null)
      .meta({ description: "How many tasks of the kind are offered per second" }),
  })
  .meta({ id: "KindSettingsRequest" });
export type KindSettingsBody = z.infer<typeof KindSettingsBody>;

export const KindSettingsView = z
  .object({ kind: TaskKind, ...tolerant(KindSettingsBody).shape })
  .meta({ id: "KindSettings" });
export type KindSettingsView = z.infer<typeof KindSettingsView>;
export const KindSettingsList = z
  .object({ kinds: z.array(KindSettingsView) })
  .meta({ id: "KindSettingsList" });

const COUNTS = {
  waiting: z.int().meta({ description: "Queued tasks" }),
  running: z.int().meta({ description: "Tasks that peers have" }),
  oldest_wait_seconds: z.number().nullable().meta({
    description: "How long the queued task that may be offered since the longest time waits",
  }),
};
/** How much of one kind there is to do, of all owners, for autoscalers. A kind without a task has zeros. */
export const KindLoadView = z
  .object({
    kind: TaskKind,
    waiting: z.int().meta({ description: "Queued tasks that may be offered now" }),
    scheduled: z.int().meta({ description: "Queued tasks that may be offered later" }),
    running: z.int().meta({ description: "Tasks that peers hold" }),
    load: z.int().meta({
      description:
        "Waiting and running tasks: what an autoscaler divides by the tasks of one worker",
    }),
    oldest_wait_seconds: z.number().meta({
      description: "How long the oldest waiting task has waited; 0 if there is none",
    }),
    missing_cells: MissingCells,
  })
  .meta({ id: "KindLoad" });
export type KindLoadView = z.infer<typeof KindLoadView>;

/** The queue now: as far as the caller may see its tasks. */
export const TaskStats = z
  .object({
    ...COUNTS,
    queue_max: z.int(),
    kinds: z.array(z.object({ kind: TaskKind, ...COUNTS, settings: nullOr(KindSettingsView) })),
    owners: z.array(
      z.object({
        owner: z.string(),
        label: z.string().nullable(),
        ...COUNTS,
        bytes: z.int().default(0).meta({
          description: "Bytes of the owner's tasks that have not ended",
        }),
        limits: OwnerLimits.extend({ max_waiting: z.int() }),
      }),
    ),
    truncated: z.boolean().meta({
      description: `Whether there are more than ${STATS_ROWS_MAX} kinds or owners; those with the most tasks are listed`,
    }),
    missing_cells: MissingCells,
  })
  .meta({ id: "TaskStats" });
export type TaskStats = z.infer<typeof TaskStats>;
