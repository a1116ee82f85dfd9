import { fromUtf8 } from "../base/bytes.ts";
import { isJsonObject, parseJson, type Json } from "../base/json.ts";
import type { WebhookScheme } from "../protocol/http.ts";

/** Senders of HTML forms: Slack's commands and buttons always send them, GitHub unless it is configured to send JSON. */
const SENDS_FORMS: readonly WebhookScheme[] = ["slack", "github"];

/** The output of a form's serializer (URL standard, "application/x-www-form-urlencoded"). No JSON value matches it. */
const FORM = /^[A-Za-z0-9*._+%&=~!'()-]*=[A-Za-z0-9*._+%&=~!'()-]*$/;
/** Far more than a form of these senders has. */
const FORM_FIELDS_MAX = 200;

/**
 * The event in a body; undefined if there is none. Only the bytes decide, not `Content-Type`, which the signature does not
 * cover.
 */
export function eventOf(scheme: WebhookScheme, body: Uint8Array): Json | undefined {
  const text = fromUtf8(body);
  if (text === null) return undefined;
  const event = parseJson(text);
  return event === undefined && SENDS_FORMS.includes(scheme) ? formOf(text) : event;
}

/** A form as an object of strings. If its only field is `payload` with a JSON object (GitHub, Slack's buttons), that object. */
function formOf(text: string): Json | undefined {
  if (!FORM.test(text)) return undefined;
  const fields = [...new URLSearchParams(text)];
  if (fields.length > FORM_FIELDS_MAX) return undefined;
  const [[name, value] = ["", ""], ...more] = fields;
  const wrapped = name === "payload" && more.length === 0 ? parseJson(value) : undefined;
  if (isJsonObject(wrapped)) return wrapped;
  return Object.fromEntries(fields);
}
