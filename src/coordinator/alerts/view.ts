import { toRfc3339 } from "../../base/clock.ts";
import type { Alert } from "../../alerts/alert.ts";
import type { AlertView } from "../../protocol/http.ts";

/** An alert as callers and receivers see it. */
export function viewOf(firing: Alert): AlertView {
  const { alert, key, peer, kind, since, firedAt, value, threshold, message } = firing;
  const times = { since: toRfc3339(since), fired_at: toRfc3339(firedAt) };
  return { alert, key, peer, kind, ...times, value, threshold, message };
}
