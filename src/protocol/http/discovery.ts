import { z } from "zod";
import { Checkpoint, PointerView, Region, RemovedPointer } from "../discovery.ts";
import { Capability, Role } from "../labels.ts";
import { NextCursor, Page } from "./page.ts";

export {
  Checkpoint,
  DiscoveryKeys,
  PointerView,
  Region,
  RemovedPointer,
  type EpochKeys,
} from "../discovery.ts";

/**
 * What is looked for. A pointer matches unless its public metadata says otherwise: what is not public is for whoever
 * opens the record to judge.
 */
export const PointerFilter = z.object({
  role: Role.optional(),
  capability: Capability.optional(),
  region: Region.optional(),
  min_score: z.coerce.number().min(0).max(1).optional(),
});
export type PointerFilter = z.infer<typeof PointerFilter>;

export const PointerQuery = Page.extend(PointerFilter.shape).extend({
  since: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,14})$/, "take it from an earlier answer")
    .optional()
    .meta({ description: "`since` of an earlier answer: only what changed after it" }),
});
export type PointerQuery = z.infer<typeof PointerQuery>;

export const PointerList = z
  .object({
    pointers: z.array(PointerView),
    removed: z.array(RemovedPointer),
    since: z.string().meta({ description: "Give this back to learn what changed since" }),
    next_cursor: NextCursor,
    checkpoint: Checkpoint,
  })
  .meta({ id: "PointerList" });
export type PointerList = z.infer<typeof PointerList>;
