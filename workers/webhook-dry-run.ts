import type { Json } from "../src/base/json.ts";
import type { Result } from "../src/base/result.ts";
import type { DryRunView } from "../src/protocol/http.ts";
import {
  explainEvent,
  parsePath,
  verdictOf,
  type HeaderReader,
  type SelectedValues,
} from "../src/webhooks/index.ts";
import type { OpenedSource } from "./webhook-source-secrets.ts";

export interface Sample {
  readonly headers: HeaderReader;
  readonly event: Result<SelectedValues, string>;
  /** Whether its signature is valid; null if it has none to verify. The result does not change the outcome. */
  readonly signature: DryRunView["signature"];
}

/** The outcome that a sample would have. */
export function dryRun(source: OpenedSource, { headers, event, signature }: Sample): DryRunView {
  const verdict = verdictOf(source, headers, event);
  const explained =
    event.ok && verdict.outcome !== "ping"
      ? explainEvent(source, headers, event.value)
      : { task: null, filters: [] };
  return {
    outcome: verdict.outcome,
    reason: "reason" in verdict ? verdict.reason : null,
    task: explained.task,
    event: event.ok ? wholeOf(event.value) : null,
    filters: [...explained.filters],
    signature,
  };
}

/** The whole event; null if it is too large, or if only some of its values were stored. */
function wholeOf(event: SelectedValues): Json {
  const root = parsePath("$");
  const selected = root.ok ? event.find(root.value, "mapped") : undefined;
  return selected ? (JSON.parse(selected.text) as Json) : null;
}
