import { z } from "zod";
import { Checkpoint, ListedTotals, PointerView, Region, RemovedPointer } from "../discovery.ts";
import { Capability, Role, TaskKind } from "../labels.ts";
import { NextCursor, Page } from "./page.ts";
import { queryNumber } from "./query-number.ts";

export { DiscoveryKeys, PointerView } from "../discovery.ts";

/**
 * The peers to list. A pointer matches unless its public metadata contradicts the filter: properties that are not public are
 * checked by the caller, who opens the record.
 */
export const PointerFilter = z.strictObject({
  role: Role.optional(),
  capability: Capability.optional(),
  kind: TaskKind.optional(),
  region: Region.optional(),
  min_score: queryNumber(0, 1).optional(),
});
export type PointerFilter = z.infer<typeof PointerFilter>;

export const PointerQuery = Page.extend(PointerFilter.shape).extend({
  since: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,14})$/, "use the value of `since` from an earlier answer")
    .optional()
    .meta({ description: "`since` from an earlier answer: lists only later changes" }),
});
export type PointerQuery = z.infer<typeof PointerQuery>;

export const PointerList = z
  .object({
    pointers: z.array(PointerView),
    removed: z.array(RemovedPointer),
    since: z.string().meta({ description: "Send this as `since` to list later changes" }),
    next_cursor: NextCursor,
    checkpoint: Checkpoint,
    totals: ListedTotals.optional().meta({
      description:
        "How many pointers are listed in all, at the checkpoint's sequence number and time; an older mesh does not say it",
    }),
  })
  .meta({ id: "PointerList" });
export type PointerList = z.infer<typeof PointerList>;
