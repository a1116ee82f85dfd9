import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { EventMapping, SubmitTask, WebhookFilter, WebhookScheme } from "../protocol/http.ts";
import { eventOf } from "./event.ts";
import { judgeFilters, leftOutBy, type FilterVerdict } from "./filter.ts";
import { taskOf } from "./mapping.ts";
import type { HeaderReader } from "./scheme.ts";

/** What of a source decides what an event becomes. */
export interface Judging {
  readonly mapping: EventMapping;
  readonly filters: readonly WebhookFilter[];
}

/** What a delivery becomes. */
export type Verdict =
  | { readonly outcome: "task"; readonly task: SubmitTask }
  | { readonly outcome: "filtered"; readonly reason: string }
  | { readonly outcome: "unmapped"; readonly reason: string };

/** Filters come first: what they leave out need not fit the mapping. */
export function judge({ filters, mapping }: Judging, headers: HeaderReader, event: Json): Verdict {
  const reason = leftOutBy(judgeFilters(filters, headers, event));
  if (reason !== null) return { outcome: "filtered", reason };
  const task = taskOf(mapping, event);
  return task.ok
    ? { outcome: "task", task: task.value }
    : { outcome: "unmapped", reason: task.error.detail };
}

const NO_EVENT = "the body holds no event: it is not JSON, or nests too deep";

/** The event that a body holds, or why it holds none. */
export function readEvent(scheme: WebhookScheme, body: Uint8Array): Result<Json, string> {
  const event = eventOf(scheme, body);
  return event === undefined ? err(NO_EVENT) : ok(event);
}

/** What would become of an event, and why, without any of it happening. */
export function explain(
  { filters, mapping }: Judging,
  headers: HeaderReader,
  event: Json,
): {
  readonly verdict: Verdict;
  readonly filters: readonly FilterVerdict[];
  /** What the mapping makes of it, also where a filter leaves it out. */
  readonly task: SubmitTask | null;
} {
  const task = taskOf(mapping, event);
  return {
    verdict: judge({ filters, mapping }, headers, event),
    filters: judgeFilters(filters, headers, event),
    task: task.ok ? task.value : null,
  };
}
