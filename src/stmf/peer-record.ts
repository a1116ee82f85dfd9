import { fromHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { parseJson } from "../base/json.ts";
import { err, type Result } from "../base/result.ts";
import { peerIdOf } from "../crypto/identity.ts";
import { RECORD_PADDED_BYTES_MIN } from "../protocol/constants.ts";
import { readShape } from "../base/shape/read-shape.ts";
import type { PeerRecord } from "../protocol/peer-record.ts";
import { PeerRecord as PeerRecordShape } from "../protocol/shapes/discovery.ts";
import type { StmfFault } from "./errors.ts";
import type { FormData } from "./form.ts";
import { openForm, sealForm } from "./seal.ts";

export type { PeerRecord } from "../protocol/peer-record.ts";

type FieldType = "text" | "datetime" | "number" | "boolean" | "list" | "region";

const TYPES: { readonly [Attribute in keyof PeerRecord]: FieldType } = {
  id: "text",
  name: "text",
  public_key: "text",
  address: "text",
  role: "text",
  added_at: "datetime",
  last_seen: "datetime",
  ping_ms: "number",
  hops: "number",
  geo_km: "number",
  score: "number",
  connected: "boolean",
  capabilities: "list",
  kinds: "list",
  region: "region",
};
const ATTRIBUTES = Object.keys(TYPES) as (keyof PeerRecord)[];

/** The form of a record, without padding. */
export const peerForm = (record: PeerRecord): FormData => ({
  fields: ATTRIBUTES.map((name) => ({
    name,
    value: String(record[name] ?? ""),
    type: TYPES[name],
  })),
});

/** A field that readers ignore; it pads the form. */
const PADDING = { name: "padding", type: "padding" } as const;

/**
 * Pads the form's JSON to `RECORD_PADDED_BYTES_MIN` bytes, or to the next power of two that holds it, so that a blob's
 * size reveals only which of a few sizes the record has.
 */
function padded({ fields }: FormData): FormData {
  const filled = (count: number): FormData => ({
    fields: [...fields, { ...PADDING, value: "0".repeat(count) }],
  });
  const bytes = utf8(JSON.stringify(filled(0))).length;
  let bucket = RECORD_PADDED_BYTES_MIN;
  while (bucket < bytes) bucket *= 2;
  return filled(bucket - bytes);
}

/**
 * The record in a form. Fields with unknown names are ignored, for later versions. `record_invalid` when an attribute is
 * missing, repeated or invalid; `identity_mismatch` when the ID is not the hash of the key.
 */
export function readPeerForm(form: FormData): Result<PeerRecord, StmfFault> {
  const found = new Map<string, unknown>();
  for (const { name, value } of form.fields) {
    if (!isAttribute(name)) continue;
    if (found.has(name)) return err({ code: "record_invalid", detail: `${name} appears twice` });
    found.set(name, READERS[TYPES[name]](value));
  }
  const record = readShape(PeerRecordShape, Object.fromEntries(found));
  if (!record.ok) return err({ code: "record_invalid", detail: record.error });
  const publicKey = fromHex(record.value.public_key);
  if (publicKey === null || peerIdOf(publicKey) !== record.value.id) {
    return err({ code: "identity_mismatch", detail: "the record's ID does not belong to its key" });
  }
  return record;
}

/** Pads a record and seals it to an epoch's discovery key. Faults: those of `sealForm`. */
export const sealPeerRecord = (
  record: PeerRecord,
  recipientPublicKey: Uint8Array,
  random: RandomBytes,
): Result<Bytes, StmfFault> => sealForm(padded(peerForm(record)), recipientPublicKey, random);

/** Opens a record. Faults: those of `openForm` and `readPeerForm`. */
export function openPeerRecord(
  container: Uint8Array,
  privateKey: Uint8Array,
): Result<PeerRecord, StmfFault> {
  const form = openForm(container, privateKey);
  return form.ok ? readPeerForm(form.value) : form;
}

const isAttribute = (name: string): name is keyof PeerRecord => Object.hasOwn(TYPES, name);

/** Converts a field's text to a value; undefined when it does not fit the type. The schema validates the value. */
const READERS: { readonly [Type in FieldType]: (text: string) => unknown } = {
  text: (text) => text,
  datetime: (text) => (text === "" ? null : text),
  number: (text) => (text === "" ? null : numberOf(text)),
  boolean: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  list: (text) => (text === "" ? [] : text.split(",")),
  region: (text) => (text === "" ? null : text),
};

function numberOf(text: string): number | undefined {
  const value = parseJson(text);
  return typeof value === "number" ? value : undefined;
}
