import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { EventMapping, SubmitTask, WebhookFilter, WebhookScheme } from "../protocol/http.ts";
import { eventOf } from "./event.ts";
import { isPing } from "./github.ts";
import { evaluateFilters, exclusionOf, type FilterResult } from "./filter.ts";
import { taskOf } from "./mapping.ts";
import type { HeaderReader } from "./scheme.ts";

/** The part of a source that decides what an event becomes. */
export interface EventRules {
  readonly mapping: EventMapping;
  readonly filters: readonly WebhookFilter[];
}

/** What a delivery becomes. */
export type Verdict =
  | { readonly outcome: "task"; readonly task: SubmitTask }
  | { readonly outcome: "filtered"; readonly reason: string }
  | { readonly outcome: "unmapped"; readonly reason: string }
  /** GitHub's check of a new webhook, which is acknowledged as it is. */
  | { readonly outcome: "ping" };

/** What the event in a body becomes. */
export function verdictOf(
  source: EventRules & { readonly scheme: WebhookScheme },
  headers: HeaderReader,
  body: Uint8Array,
): Verdict {
  if (source.scheme === "github" && isPing(headers)) return { outcome: "ping" };
  const event = readEvent(source.scheme, body);
  return event.ok
    ? evaluateEvent(source, headers, event.value)
    : { outcome: "unmapped", reason: event.error };
}

/** What an event becomes. The filters come first: an event that they exclude need not fit the mapping. */
export function evaluateEvent(
  { filters, mapping }: EventRules,
  headers: HeaderReader,
  event: Json,
): Verdict {
  const reason = exclusionOf(evaluateFilters(filters, headers, event));
  if (reason !== null) return { outcome: "filtered", reason };
  const task = taskOf(mapping, event);
  return task.ok
    ? { outcome: "task", task: task.value }
    : { outcome: "unmapped", reason: task.error.detail };
}

const NO_EVENT = "the body contains no event: it is not JSON, or is nested too deeply";

/** The event in a body, or why there is none. */
export function readEvent(scheme: WebhookScheme, body: Uint8Array): Result<Json, string> {
  const event = eventOf(scheme, body);
  return event === undefined ? err(NO_EVENT) : ok(event);
}

/** What an event would become, and why. */
export function explainEvent(
  { filters, mapping }: EventRules,
  headers: HeaderReader,
  event: Json,
): {
  readonly verdict: Verdict;
  readonly filters: readonly FilterResult[];
  /** The mapping's task, also for an event that a filter excludes; null if the event does not fit the mapping. */
  readonly task: SubmitTask | null;
} {
  const task = taskOf(mapping, event);
  return {
    verdict: evaluateEvent({ filters, mapping }, headers, event),
    filters: evaluateFilters(filters, headers, event),
    task: task.ok ? task.value : null,
  };
}
