import { toRfc3339 } from "../../base/clock.ts";
import { cellOf, shownAs, type Alert, type AlertCell } from "../../alerts/alert.ts";
import type { AlertView } from "../../protocol/http.ts";

/** An alert as callers and receivers see it. */
export function viewOf(firing: Alert, cell: AlertCell): AlertView {
  const { alert, peer, kind, cell: about, since, firedAt, value, threshold } = firing;
  const { key, message } = shownAs(firing, cell);
  const times = { since: toRfc3339(since), fired_at: toRfc3339(firedAt) };
  return { alert, key, peer, kind, ...cellOf(about), ...times, value, threshold, message };
}
