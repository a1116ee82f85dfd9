import { fromHex, toBase64, utf8, type Bytes } from "../../base/bytes.ts";
import type { Json } from "../../base/json.ts";
import { sealResult } from "../../stmf/task-result.ts";
import type { Context } from "../kernel/context.ts";

/** The base64 of a container that only the holder of this key (hex) opens; null when the key is of low order. */
export function sealedTo({ randomBytes }: Context, publicKey: string, value: Json): string | null {
  const json = utf8(JSON.stringify(value));
  const container = sealResult(json, fromHex(publicKey) as Bytes, randomBytes);
  return container === null ? null : toBase64(container);
}

/** Whether anything can be sealed to the key: asked when a task is given, lest its result be lost. */
export const canSealTo = (context: Context, publicKey: string): boolean =>
  sealedTo(context, publicKey, null) !== null;
