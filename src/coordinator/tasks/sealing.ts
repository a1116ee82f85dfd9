import { fromHex, toBase64, utf8, type Bytes } from "../../base/bytes.ts";
import { NULL_JSON, textOfJson, type ExactJson } from "../../base/json-text/json-text.ts";
import { sealResult } from "../../stmf/task-result.ts";
import type { Context } from "../kernel/context.ts";

/**
 * Seals a value to an X25519 public key (hex). Returns the base64 of the container; null when the key has low order.
 */
export function sealedTo(
  { randomBytes }: Context,
  publicKey: string,
  value: ExactJson,
): string | null {
  const json = utf8(textOfJson(value));
  const container = sealResult(json, fromHex(publicKey) as Bytes, randomBytes);
  return container === null ? null : toBase64(container);
}

/** Whether values can be sealed to the key. Checked when a task is submitted, so that its result is not lost later. */
export const canSealTo = (context: Context, publicKey: string): boolean =>
  sealedTo(context, publicKey, NULL_JSON) !== null;
