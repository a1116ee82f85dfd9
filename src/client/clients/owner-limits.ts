import type { OwnerLimitsBody } from "../../protocol/http.ts";
import type { OptionNames } from "../known-options.ts";

/** What the owner of tasks may have. What is absent keeps its value. */
export interface OwnerLimitOptions {
  /** The owner's share of the peers, compared with the weights of other owners, 1 to 100. Default 1. */
  readonly weight?: number;
  /** Tasks in the queue; null: a quarter of the queue. */
  readonly maxWaiting?: number | null;
  /** Tasks that peers have at once; null: no limit. */
  readonly maxRunning?: number | null;
  /** The highest priority that its tasks may have; null: no limit. */
  readonly maxPriority?: number | null;
  /** Bytes of its tasks that have not ended; null: an eighth of the mesh's database. */
  readonly maxBytes?: number | null;
}

export const OWNER_LIMIT_OPTIONS: OptionNames<OwnerLimitOptions> = {
  weight: "number",
  maxWaiting: "numberOrNull",
  maxRunning: "numberOrNull",
  maxPriority: "numberOrNull",
  maxBytes: "numberOrNull",
};

export const ownerLimitsBody = (options: OwnerLimitOptions): OwnerLimitsBody => ({
  ...(options.weight !== undefined && { weight: options.weight }),
  ...(options.maxWaiting !== undefined && { max_waiting: options.maxWaiting }),
  ...(options.maxRunning !== undefined && { max_running: options.maxRunning }),
  ...(options.maxPriority !== undefined && { max_priority: options.maxPriority }),
  ...(options.maxBytes !== undefined && { max_bytes: options.maxBytes }),
});
