import { fromBase64, toBase64, utf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { hmacSha256, platformRandom } from "../crypto/primitives.ts";
import { DeliveryView } from "../protocol/http.ts";
import { newUuid } from "../protocol/ids.ts";
import type { z } from "zod";
import { Api, type Fetch } from "./api.ts";
import { OptionsError } from "./errors.ts";

/** Marks the secrets of Standard Webhooks, which are base64 behind it. */
const SECRET_PREFIX = "whsec_";

/** A new secret for a webhook source: 32 random bytes, as Standard Webhooks writes them. */
export const newWebhookSecret = (): string => SECRET_PREFIX + toBase64(platformRandom(32));

/** The headers that sign one delivery (Standard Webhooks, symmetric `v1`). */
export function signDelivery(
  secret: string,
  { id, at, body }: { readonly id: string; readonly at: Millis; readonly body: string },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at / SECOND));
  const mac = hmacSha256(secretBytes(secret), utf8(`${id}.${timestamp}.${body}`));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${toBase64(mac)}`,
  };
}

function secretBytes(secret: string): Bytes {
  const bytes = secret.startsWith(SECRET_PREFIX)
    ? fromBase64(secret.slice(SECRET_PREFIX.length))
    : null;
  if (bytes === null) throw new OptionsError(`a secret is ${SECRET_PREFIX} and base64`);
  return bytes;
}

export interface DeliveryOptions {
  /** The mesh's base URL. */
  readonly url: string;
  /** The webhook source's name. */
  readonly source: string;
  /** The source's secret, `whsec_` and base64. No token is needed: the signature is the proof. */
  readonly secret: string;
  /** Names the event: delivering it again makes no second task. Default: a fresh one. */
  readonly id?: string;
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}

/** Delivers one event to a webhook source, signed; safe to retry, and retried while the mesh can't be reached. */
export function deliver(
  event: unknown,
  options: DeliveryOptions,
): Promise<z.output<typeof DeliveryView>> {
  const { url, source, secret, fetch = globalThis.fetch.bind(globalThis) } = options;
  const api = new Api({ url, token: undefined, fetch, random: Math.random });
  const id = options.id ?? newUuid(platformRandom);
  const headers = signDelivery(secret, { id, at: Date.now(), body: JSON.stringify(event) });
  return api.json(DeliveryView, {
    method: "POST",
    path: `v1/webhooks/${encodeURIComponent(source)}`,
    body: event,
    headers,
    idempotent: true,
    signal: options.signal,
  });
}
