import type { Millis } from "../base/clock.ts";
import { alertKey, type AlertType } from "../protocol/alert-types.ts";
import type { Condition } from "./alert.ts";

/** Subjects of one type that have an alert of their own. Those beyond have one together. */
export const ALERTS_PER_TYPE_MAX = 20;

/** What the subjects beyond the bound are called. */
const MORE: { readonly [Type in AlertType]?: string } = {
  peer_down: "more peers were lost and have not come back",
  circuit_open: "more circuits are open",
  queue_old: "more kinds have a task that has waited for too long",
  cell_down: "more cells do not answer",
  cell_messages: "more cells do not take their messages",
};

/**
 * At most `ALERTS_PER_TYPE_MAX` conditions of each type, and one for all those beyond that have held for long enough. What fires keeps
 * its place; the others get theirs in the order of their times.
 *
 * @param firing the keys of the alerts that fire
 */
export function limitConditions(
  conditions: readonly Condition[],
  firing: ReadonlySet<string>,
  now: Millis,
): readonly Condition[] {
  const byType = Map.groupBy(conditions, ({ alert }) => alert);
  return [...byType].flatMap(([alert, all]) => {
    const places = placesFor(alert, firing);
    const [kept, others] = [all.filter(isIn(firing)), all.filter((each) => !isIn(firing)(each))];
    const ordered = others.toSorted((a, b) => a.since + a.holdFor - (b.since + b.holdFor));
    const beyond = ordered.slice(places);
    const due = beyond.filter(({ since, holdFor }) => since + holdFor <= now);
    const next = beyond[due.length];
    return [
      ...kept,
      ...ordered.slice(0, places),
      ...together(alert, due, 0),
      // Nobody is beyond yet: it is said when one will be.
      ...(due.length === 0 && next !== undefined && !firing.has(alert)
        ? together(alert, [next], next.holdFor)
        : []),
    ];
  });
}

const isIn =
  (firing: ReadonlySet<string>) =>
  (condition: Condition): boolean =>
    firing.has(alertKey(condition));

/** How many further subjects may get an alert of their own. One that clears has its place until it ends. */
function placesFor(alert: AlertType, firing: ReadonlySet<string>): number {
  const taken = [...firing].filter((key) => key.startsWith(`${alert}:`)).length;
  return MORE[alert] === undefined ? 1 : Math.max(0, ALERTS_PER_TYPE_MAX - taken);
}

function together(
  alert: AlertType,
  beyond: readonly Condition[],
  holdFor: Millis,
): readonly Condition[] {
  const [first] = beyond;
  if (first === undefined) return [];
  const { since, threshold } = first;
  const message = `${beyond.length} ${MORE[alert] ?? "more"}`;
  return [
    {
      alert,
      peer: null,
      kind: null,
      cell: null,
      since,
      holdFor,
      value: beyond.length,
      threshold,
      message,
    },
  ];
}
