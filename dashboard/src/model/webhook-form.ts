/** The form by which a webhook source is created. */
import { toBase64, toHex } from "../../../src/base/bytes.ts";
import type { WebhookScheme } from "../../../src/protocol/http.ts";

/** What was typed. An empty field is left out of the request, and the mesh takes its default. */
export interface SourceForm {
  readonly name: string;
  readonly scheme: WebhookScheme;
  readonly kind: string;
  /** JSON, or a JSON path such as `$.data`. */
  readonly payload: string;
  /** A JSON array. */
  readonly filters: string;
  readonly secret: string;
  /** The header with the signature, for schemes that do not fix it. */
  readonly header: string;
  readonly encoding: string;
  readonly prefix: string;
}

export const EMPTY_SOURCE: SourceForm = {
  name: "",
  scheme: "github",
  kind: "",
  payload: "",
  filters: "",
  secret: "",
  header: "",
  encoding: "hex",
  prefix: "",
};

const SCHEMES: Readonly<Record<WebhookScheme, string>> = {
  github: "GitHub",
  "standard-webhooks": "Standard Webhooks (also Svix)",
  stripe: "Stripe",
  slack: "Slack",
  hmac: "Any other HMAC-SHA256 in a header",
};
export const SCHEME_OPTIONS = Object.entries(SCHEMES) as readonly (readonly [
  WebhookScheme,
  string,
])[];
export const schemeName = (scheme: WebhookScheme): string => SCHEMES[scheme];

/** Where a sender shows the secret that it makes itself, and does not take from the receiver. */
const SENDERS_SECRET: Readonly<Partial<Record<WebhookScheme, string>>> = {
  stripe: "Stripe makes it: Developers > Webhooks, the signing secret of the endpoint.",
  slack: "Slack makes it: your app > Basic Information > Signing Secret.",
};
/** Null: a secret can be made here. */
export const sendersSecret = (scheme: WebhookScheme): string | null =>
  SENDERS_SECRET[scheme] ?? null;

/** What the operator does next at the sender. */
const SENDER_STEPS: Readonly<Record<WebhookScheme, string>> = {
  github:
    "At GitHub: Settings > Webhooks > Add webhook. Enter the URL and the secret, and choose the content type application/json.",
  "standard-webhooks":
    "At the sender: add a webhook endpoint with the URL, and enter the signing secret.",
  stripe: "At Stripe: Developers > Webhooks > Add endpoint, with the URL.",
  slack: "At Slack: your app > Event Subscriptions > Request URL.",
  hmac: "At the sender: add a webhook with the URL and the secret. It must POST JSON, with the HMAC-SHA256 of the body in the header.",
};
export const senderStep = (scheme: WebhookScheme): string => SENDER_STEPS[scheme];

/** A secret from 32 random bytes, in the notation of the scheme. */
export const newSecret = (scheme: WebhookScheme, random: Uint8Array): string =>
  scheme === "standard-webhooks" ? `whsec_${toBase64(random)}` : toHex(random);

/** Whether the header with the signature can be chosen. */
export const hasHeader = (scheme: WebhookScheme): boolean =>
  scheme === "hmac" || scheme === "stripe";

/** The body of the request. Payload and filters are in it as they were typed, so that no number loses a digit. */
export function sourceText(form: SourceForm, secret: string): string {
  const { scheme, kind, header, encoding, prefix } = form;
  const isHmac = scheme === "hmac";
  const signature = {
    header: header.trim(),
    ...(isHmac && { encoding }),
    ...(isHmac && prefix !== "" && { prefix }),
  };
  const rest = {
    scheme,
    secret,
    ...(hasHeader(scheme) && signature.header !== "" && { signature }),
  };
  const payload = payloadText(form.payload);
  const task = `{"kind":${JSON.stringify(kind.trim())}${payload === "" ? "" : `,"payload":${payload}`}}`;
  const filters = form.filters.trim();
  return `${JSON.stringify(rest).slice(0, -1)},"task":${task}${filters === "" ? "" : `,"filters":${filters}`}}`;
}

/** The payload as JSON. A path may be typed without quotes. */
export function payloadText(typed: string): string {
  const text = typed.trim();
  return text.startsWith("$") ? JSON.stringify(text) : text;
}
