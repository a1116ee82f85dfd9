import type { Millis } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { SubmitTask } from "../protocol/http.ts";
import type { EventRules } from "./event-rules.ts";
import { evaluateFilters, exclusionOf, type FilterResult } from "./filter.ts";
import { isPing } from "./github.ts";
import { idsOf, idsOfBody, type DeliveryIds, type SignedMaterial } from "./identity.ts";
import { taskOf } from "./mapping.ts";
import type { HeaderReader } from "./scheme.ts";
import type { SelectedValues } from "./selection/json-selector.ts";

/** What a delivery becomes. */
export type Verdict =
  | { readonly outcome: "task"; readonly task: SubmitTask }
  | { readonly outcome: "filtered"; readonly reason: string }
  | { readonly outcome: "unmapped"; readonly reason: string }
  /** GitHub's check of a new webhook, which is acknowledged as it is. */
  | { readonly outcome: "ping" };

/** What a delivery becomes, if its event is this one; `event` is an error if its body contains none. */
export function verdictOf(
  rules: EventRules,
  headers: HeaderReader,
  event: Result<SelectedValues, string>,
): Verdict {
  if (rules.scheme === "github" && isPing(headers)) return { outcome: "ping" };
  if (!event.ok) return { outcome: "unmapped", reason: event.error };
  // The filters come first: an event that they exclude need not fit the mapping.
  const reason = exclusionOf(evaluateFilters(rules.filters, headers, event.value));
  if (reason !== null) return { outcome: "filtered", reason };
  const task = taskOf(rules.mapping, event.value);
  return task.ok
    ? { outcome: "task", task: task.value }
    : { outcome: "unmapped", reason: task.error.detail };
}

/** The same with the IDs of a delivery whose signature is valid. Only an event that becomes a task must have the ID that its source states. */
export function judgeDelivery(
  rules: EventRules,
  headers: HeaderReader,
  event: Result<SelectedValues, string>,
  signed: SignedMaterial,
  now: Millis,
): { readonly verdict: Verdict; readonly ids: DeliveryIds } {
  const verdict = verdictOf(rules, headers, event);
  const ids =
    event.ok && verdict.outcome !== "ping" ? idsOf(rules, signed, event.value, now) : null;
  if (ids?.ok === true) return { verdict, ids: ids.value };
  const fault = verdict.outcome === "task" ? ids?.error.detail : undefined;
  return {
    verdict: fault === undefined ? verdict : { outcome: "unmapped", reason: fault },
    ids: idsOfBody(signed),
  };
}

/** What an event would become, and why. */
export function explainEvent(
  rules: EventRules,
  headers: HeaderReader,
  event: SelectedValues,
): {
  readonly filters: readonly FilterResult[];
  /** The mapping's task, also for an event that a filter excludes; null if the event does not fit the mapping. */
  readonly task: SubmitTask | null;
} {
  const task = taskOf(rules.mapping, event);
  return {
    filters: evaluateFilters(rules.filters, headers, event),
    task: task.ok ? task.value : null,
  };
}
