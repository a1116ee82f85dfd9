/** Deliveries are stored for replays. They are sealed like secrets, because a body may contain confidential data. */
import { fromBase64, fromUtf8, toBase64, utf8, utf8Length, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { hkdfSha256 } from "../crypto/primitives.ts";
import {
  KEY_BYTES,
  WEBHOOK_STORED_BODY_BYTES_MAX,
  WEBHOOK_STORED_VALUES_BYTES_MAX,
} from "../protocol/constants.ts";
import { recordValues, type RecordedValue } from "./recorded-event.ts";
import type { HeaderReader } from "./scheme.ts";
import type { SelectedValues } from "./selection/json-selector.ts";
import type { WantedPaths } from "./selection/path-tree.ts";
import { openSecret, sealSecret } from "./sealed-secret.ts";

/** What is stored of a delivery: its body, or of a larger one what its source's rules read of the event. */
export type StoredEvent = { readonly body: string } | { readonly values: readonly RecordedValue[] };

export type DeliveryContent = StoredEvent & {
  readonly headers: Readonly<Record<string, string>>;
};

/** Headers beyond this total are not stored. */
const HEADERS_CHARS_MAX = 8_192;
/** Headers that the network sets, and credentials. They are not stored. */
const NOT_STORED = /^(?:authorization|cookie|host|forwarded|x-forwarded-.*|x-real-ip|cf-.*)$/;

/** The key that seals one source's deliveries: HKDF-SHA256 of the signing key. The source's secrets have another key. */
const deliveryKey = (signingPrivateKey: Uint8Array, sourceName: string): Bytes =>
  hkdfSha256(signingPrivateKey, utf8(`muster/webhook-delivery/1:${sourceName}`), KEY_BYTES);

interface Sealing {
  /** The mesh's Ed25519 private key. */
  readonly signingKey: Uint8Array;
  /** The name of the source. */
  readonly name: string;
  readonly random: RandomBytes;
}

/** A body as it is stored; null if it is too large, or is not UTF-8 and so contains no event. */
export function storedBody(body: Uint8Array): StoredEvent | null {
  const text = body.length > WEBHOOK_STORED_BODY_BYTES_MAX ? null : fromUtf8(body);
  return text === null ? null : { body: text };
}

/** The values that rules read of an event, as they are stored; null if they are too large. */
export function storedValues(wanted: WantedPaths, event: SelectedValues): StoredEvent | null {
  const values = recordValues(wanted, event);
  const bytes = values.reduce(
    (sum, { path, text }) => sum + utf8Length(path) + utf8Length(text),
    0,
  );
  return bytes > WEBHOOK_STORED_VALUES_BYTES_MAX ? null : { values };
}

/** The stored form of a delivery, in base64. */
export function sealDelivery(
  { signingKey, name, random }: Sealing,
  headers: Iterable<readonly [string, string]>,
  event: StoredEvent,
): string {
  const stored: [string, string][] = [];
  let room = HEADERS_CHARS_MAX;
  for (const [header, value] of headers) {
    room -= header.length + value.length;
    if (room >= 0 && !NOT_STORED.test(header)) stored.push([header, value]);
  }
  const content: DeliveryContent = { headers: Object.fromEntries(stored), ...event };
  const key = deliveryKey(signingKey, name);
  return toBase64(sealSecret(key, JSON.stringify(content), random));
}

/** The content of a stored delivery; null if it was sealed with another signing key, or for another source. */
export function openDelivery(
  signingPrivateKey: Uint8Array,
  sourceName: string,
  sealed: string,
): DeliveryContent | null {
  const key = deliveryKey(signingPrivateKey, sourceName);
  const text = openSecret(key, fromBase64(sealed) ?? new Uint8Array());
  return text === null ? null : (JSON.parse(text) as DeliveryContent);
}

/** Reads headers by name, independent of case, like `Headers`. */
export const headersOf = (record: Readonly<Record<string, string>>): HeaderReader => {
  const named = new Map(
    Object.entries(record).map(([name, value]) => [name.toLowerCase(), value] as const),
  );
  return { get: (name) => named.get(name) ?? null };
};
