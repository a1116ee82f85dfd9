import { utf8, fromUtf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { openForm, sealForm } from "./seal.ts";

/** The only field of the form. Its value is the result as JSON. */
const FIELD = "result";

/** Seals a task's result (JSON in UTF-8) to its caller's key; null when the key is invalid or the result too large. */
export function sealResult(
  json: Uint8Array,
  recipientPublicKey: Uint8Array,
  random: RandomBytes,
): Bytes | null {
  const value = fromUtf8(json);
  if (value === null) return null;
  const sealed = sealForm({ fields: [{ name: FIELD, value }] }, recipientPublicKey, random);
  return sealed.ok ? sealed.value : null;
}

/** The JSON of a sealed result; null when it does not open with this key or contains no result. */
export function openResult(container: Uint8Array, privateKey: Uint8Array): Bytes | null {
  const form = openForm(container, privateKey);
  const field = form.ok ? form.value.fields.find(({ name }) => name === FIELD) : undefined;
  return field === undefined ? null : utf8(field.value);
}
