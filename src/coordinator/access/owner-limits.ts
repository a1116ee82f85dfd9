import { NO_OWNER_LIMITS, type OwnerLimits } from "../../registry/owner-limits.ts";
import type { OwnerLimits as LimitsView, OwnerLimitsBody } from "../../protocol/http.ts";

/** The limits with the fields of a request; absent fields keep their values. */
export const changedLimits = (
  body: OwnerLimitsBody,
  before: OwnerLimits = NO_OWNER_LIMITS,
): OwnerLimits => ({
  weight: body.weight ?? before.weight,
  maxWaiting: body.max_waiting === undefined ? before.maxWaiting : body.max_waiting,
  maxRunning: body.max_running === undefined ? before.maxRunning : body.max_running,
  maxPriority: body.max_priority === undefined ? before.maxPriority : body.max_priority,
  maxBytes: body.max_bytes === undefined ? before.maxBytes : body.max_bytes,
});

export const limitsView = (limits: OwnerLimits): LimitsView => ({
  weight: limits.weight,
  max_waiting: limits.maxWaiting,
  max_running: limits.maxRunning,
  max_priority: limits.maxPriority,
  max_bytes: limits.maxBytes,
});
