import type { Millis } from "../base/clock.ts";
import { alertKey } from "../protocol/alert-types.ts";
import { RESTART_PAUSE_MAX } from "../protocol/drain-limits.ts";
import type { Alert, Condition } from "./alert.ts";

/** What changes, and when something changes next if nothing else happens. */
export interface Evaluation {
  readonly fired: readonly Alert[];
  readonly resolved: readonly Alert[];
  /** Alerts that go on to fire, of which it changed since when nothing is wrong. */
  readonly changed: readonly Alert[];
  readonly next: Millis | null;
}

/**
 * Compares what is wrong with the alerts that fire. A condition fires once it has held for its time, and an alert ends once nothing has
 * been wrong for `resolveAfter`; or at once, when nobody watches its subject any more.
 */
export function evaluate(
  firing: ReadonlyMap<string, Alert>,
  conditions: readonly Condition[],
  isWatched: (alert: Alert) => boolean,
  resolveAfter: Millis,
  now: Millis,
): Evaluation {
  const [fired, resolved, changed]: [Alert[], Alert[], Alert[]] = [[], [], []];
  let next = Infinity;
  const wrong = new Set<string>();
  for (const condition of conditions) {
    const key = alertKey(condition);
    wrong.add(key);
    const alert = firing.get(key);
    const due = dueAt(condition, now);
    if (alert === undefined && due > now) next = Math.min(next, due);
    else if (alert === undefined) fired.push(firedOf(condition, key, now));
    else if (alert.clearSince !== null) changed.push({ ...alert, clearSince: null });
  }
  for (const [key, alert] of firing) {
    if (wrong.has(key)) continue;
    // The clock may have been set back since.
    const clearSince = Math.min(alert.clearSince ?? now, now);
    if (!isWatched(alert) || now - clearSince >= resolveAfter) {
      resolved.push(alert);
      continue;
    }
    next = Math.min(next, clearSince + resolveAfter);
    if (clearSince !== alert.clearSince) changed.push({ ...alert, clearSince });
  }
  return { fired, resolved, changed, next: next === Infinity ? null : next };
}

/**
 * When the condition fires. It may begin ahead of now: a peer that the mesh has told to wait is lost from the end of the pause on. A time
 * that is further ahead, and further than the condition must hold, is of a clock that was set back since: it counts as long ago.
 */
const dueAt = ({ since, holdFor }: Condition, now: Millis): Millis =>
  since > now + Math.max(holdFor, RESTART_PAUSE_MAX) ? now : since + holdFor;

function firedOf(condition: Condition, key: string, now: Millis): Alert {
  const { alert, peer, kind, cell, since, value, threshold, message } = condition;
  const subject = { key, alert, peer, kind, cell };
  return { ...subject, since, firedAt: now, clearSince: null, value, threshold, message };
}
