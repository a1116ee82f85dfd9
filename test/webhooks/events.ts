import { utf8 } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { err, type Result } from "../../src/base/result.ts";
import type { ApiError } from "../../src/protocol/errors.ts";
import { EventMapping, type SubmitTask, type WebhookScheme } from "../../src/protocol/http.ts";
import type { EventRules } from "../../src/webhooks/event-rules.ts";
import { readWhole } from "../../src/webhooks/index.ts";
import { parsePath } from "../../src/webhooks/json-path.ts";
import { taskOf } from "../../src/webhooks/mapping.ts";
import type { SelectedValues } from "../../src/webhooks/selection/json-selector.ts";
import { must } from "../must.ts";

/** The rules of a source that maps every event, except for what is given. */
export const rulesWith = (rules: Partial<EventRules> = {}): EventRules => ({
  scheme: "hmac",
  mapping: EventMapping.parse({ kind: "test" }),
  filters: [],
  identity: null,
  ...rules,
});

/** What these rules read of an event. */
export const readEvent = (
  rules: Partial<EventRules>,
  event: Json,
): Result<SelectedValues, string> => readWhole(rulesWith(rules), utf8(JSON.stringify(event)));

/** The task that a mapping makes of an event. */
export function taskFrom(mapping: EventMapping, event: Json): Result<SubmitTask, ApiError> {
  const read = readEvent({ mapping }, event);
  return read.ok
    ? taskOf(mapping, read.value)
    : err({ code: "event_unmapped", detail: read.error });
}

/** The event in the body of a delivery; undefined if there is none. */
export function eventOf(scheme: WebhookScheme, body: Uint8Array): Json | undefined {
  const read = readWhole(rulesWith({ scheme }), body);
  const selected = read.ok ? read.value.find(must(parsePath("$")), "mapped") : undefined;
  return selected ? (JSON.parse(selected.text) as Json) : undefined;
}
