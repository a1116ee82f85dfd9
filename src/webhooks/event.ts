import { fromUtf8 } from "../base/bytes.ts";
import { isJsonObject, parseJson, type Json } from "../base/json.ts";
import type { WebhookScheme } from "../protocol/http.ts";

/** Senders that may post forms: Slack's commands and buttons always do, GitHub does unless it is told to send JSON. */
const SENDS_FORMS: readonly WebhookScheme[] = ["slack", "github"];

/** What a form's serialiser writes (URL standard, "application/x-www-form-urlencoded"); no JSON value looks so. */
const FORM = /^[A-Za-z0-9*._+%&=~!'()-]*=[A-Za-z0-9*._+%&=~!'()-]*$/;
/** Far above any honest form. */
const FORM_FIELDS_MAX = 200;

/**
 * The event that a body holds, undefined when it holds none. The bytes alone decide, not `Content-Type`, which nobody
 * signed.
 */
export function eventOf(scheme: WebhookScheme, body: Uint8Array): Json | undefined {
  const text = fromUtf8(body);
  if (text === null) return undefined;
  const event = parseJson(text);
  return event === undefined && SENDS_FORMS.includes(scheme) ? formOf(text) : event;
}

/** A form as an object of texts; what is wrapped whole in a field `payload` (GitHub, Slack's buttons) is the event itself. */
function formOf(text: string): Json | undefined {
  if (!FORM.test(text)) return undefined;
  const fields = [...new URLSearchParams(text)];
  if (fields.length > FORM_FIELDS_MAX) return undefined;
  const [[name, value] = ["", ""], ...more] = fields;
  const wrapped = name === "payload" && more.length === 0 ? parseJson(value) : undefined;
  if (isJsonObject(wrapped)) return wrapped;
  return Object.fromEntries(fields);
}
