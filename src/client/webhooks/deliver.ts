import { utf8 } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import { platformRandom } from "../../crypto/primitives/random.ts";
import type { DeliveryView } from "../../protocol/http.ts";
import * as shapes from "../../protocol/shapes/deliveries.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { secretOf, signStandard } from "../../webhooks/standard-webhooks.ts";
import { Api, type Fetch } from "../http/api.ts";
import { OptionsError } from "../errors.ts";
import { payloadJson } from "../tasks/exact-value.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

/** A new secret for a webhook source: 32 random bytes in the form of Standard Webhooks, `whsec_` and base64. */
export const newWebhookSecret = (): string => secretOf(platformRandom(32));

/** The signature headers of one delivery (Standard Webhooks, symmetric `v1`); throws `OptionsError` for a bad secret. */
export function signDelivery(
  secret: string,
  delivery: { readonly id: string; readonly at: Millis; readonly body: string },
): Readonly<Record<string, string>> {
  refuseUnknownOptions("signDelivery", delivery, { id: "string!", at: "number!", body: "string!" });
  const { id, at, body } = delivery;
  const headers = signStandard([secret], { id, at, body: utf8(body) });
  if (!headers.ok) throw new OptionsError(headers.error);
  return headers.value;
}

export interface DeliveryOptions {
  /** The mesh's base URL. */
  readonly url: string | URL;
  /** The webhook source's name. */
  readonly source: string;
  /** The source's secret, `whsec_` and base64. Deliveries need no token: the signature authenticates them. */
  readonly secret: string;
  /** Identifies the event: a second delivery with the same ID creates no second task. Default: a fresh ID. */
  readonly id?: string;
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}

const DELIVERY_OPTIONS: OptionNames<DeliveryOptions> = {
  url: "url!",
  source: "string!",
  secret: "string!",
  id: "string",
  fetch: "function",
  signal: "signal",
};

const EXAMPLE =
  'deliver(event, { url: "https://mesh.example", source: "uploads", secret: "whsec_…" })';

/** Signs an event and delivers it to a webhook source. Retries while the mesh is unreachable or busy. */
export async function deliver(event: unknown, options: DeliveryOptions): Promise<DeliveryView> {
  refuseUnknownOptions("deliver", options, DELIVERY_OPTIONS, EXAMPLE);
  if (event === undefined) throw new OptionsError(`event: JSON has no undefined; ${EXAMPLE}`);
  const url = String(options.url);
  const { source, secret, fetch = globalThis.fetch.bind(globalThis) } = options;
  const api = new Api({ url, token: undefined, fetch, random: Math.random });
  const id = options.id ?? newUuid(platformRandom);
  const body = payloadJson(event, "event");
  const headers = signDelivery(secret, { id, at: Date.now(), body: body.text });
  return api.json(shapes.DeliveryView, {
    method: "POST",
    path: `v1/webhooks/${encodeURIComponent(source)}`,
    body,
    headers,
    idempotent: true,
    signal: options.signal,
  });
}
