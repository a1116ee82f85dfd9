import { z } from "zod";
import { DRAIN_TIMEOUT_DEFAULT, DRAIN_TIMEOUT_MAX, PEERS_SCHEDULED_MAX } from "../drain-limits.ts";
import { PeerId } from "../ids.ts";
import { CapabilityRequirement, Role, TaskKind } from "../labels.ts";
import { ShownName } from "../shown-name.ts";
import { MissingCells, NextCursor } from "./page.ts";
import { PeerState, PeerView } from "./peers.ts";

/** Which peers a command concerns. A peer must meet every condition that is given. */
export const PeerSelection = z
  .strictObject({
    ids: z.array(PeerId).min(1).max(PEERS_SCHEDULED_MAX).optional(),
    capabilities: z.array(CapabilityRequirement).min(1).max(16).optional().meta({
      description: "Labels that the peer must have, in the form of a task's requirements",
    }),
    kind: TaskKind.optional().meta({ description: "A kind that the peer handles" }),
    role: Role.optional(),
    name: ShownName.optional().meta({ description: "The peer's whole name" }),
    state: PeerState.optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), {
    message: "a selection without a condition would concern every peer; use state or role for that",
  })
  .meta({ id: "PeerSelection" });
export type PeerSelection = z.infer<typeof PeerSelection>;

const Timeout = z
  .number()
  .min(0)
  .max(DRAIN_TIMEOUT_MAX / 1_000)
  .default(DRAIN_TIMEOUT_DEFAULT / 1_000)
  .meta({
    description: "Seconds that running tasks may take; after that they are released as abandoned",
  });

export const DrainPeerBody = z
  .strictObject({ timeout_seconds: Timeout })
  .meta({ id: "DrainPeerRequest" });

const Selected = {
  select: PeerSelection,
  dry_run: z.boolean().default(false).meta({ description: "Only show the peers concerned" }),
  cursor: z.string().max(100).optional().meta({
    description: "`next_cursor` of the previous answer",
  }),
};
export const SchedulePeersBody = z.strictObject(Selected).meta({ id: "SchedulePeersRequest" });
export const DrainPeersBody = z
  .strictObject({ ...Selected, timeout_seconds: Timeout })
  .meta({ id: "DrainPeersRequest" });

export const ScheduledPeers = z
  .object({
    peers: z.array(PeerView).meta({
      description: "The peers whose scheduling has changed; on a dry run, those whose would change",
    }),
    next_cursor: NextCursor,
    missing_cells: MissingCells,
  })
  .meta({ id: "ScheduledPeers" });
export type ScheduledPeers = z.infer<typeof ScheduledPeers>;
