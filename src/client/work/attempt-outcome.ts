import { fromHex, toBase64, utf8, type Bytes } from "../../base/bytes.ts";
import { JsonText } from "../../base/json-text/json-text.ts";
import { jsonOfValue } from "../../base/json-text/value-json.ts";
import { err, type Result } from "../../base/result.ts";
import { platformRandom } from "../../crypto/primitives/random.ts";
import {
  TASK_ERROR_CHARS_MAX,
  TASK_LARGE_RESULT_BYTES_MAX,
  TASK_RESULT_BYTES_MAX,
  VALUE_DEPTH_MAX,
} from "../../protocol/constants.ts";
import type { TaskOffer } from "../../protocol/messages.ts";
import { messageOf, retryOf } from "./thrown.ts";

/** How an attempt ended, as it is reported to the mesh. */
export type Outcome =
  | { readonly ok: true; readonly result: JsonText; readonly sealed?: true }
  /** The result is too large for a message: its bytes are uploaded over HTTP. */
  | { readonly ok: true; readonly large: Bytes; readonly sealed: boolean }
  | { readonly ok: false; readonly error: string; readonly retry: boolean };

/** How the result of an attempt may be sent. */
export interface ResultTransport {
  /** The public key (hex) to seal the result to; null sends it unsealed. */
  readonly sealTo: string | null;
  /** Whether a result that is too large for a message can be uploaded. */
  readonly large: boolean;
  /** The longest JSON of a result in a message; by default as long as the mesh takes it. */
  readonly inlineBytesMax?: number;
}
const MESSAGE_ONLY: ResultTransport = { sealTo: null, large: false };

export const transportOf = (
  { seal_to: sealTo, upload }: TaskOffer,
  inlineBytesMax: number,
): ResultTransport => ({ sealTo: sealTo ?? null, large: upload !== undefined, inlineBytesMax });

/** Runs a handler and returns its outcome; never throws. */
export async function runToOutcome(
  run: () => unknown,
  transport: ResultTransport = MESSAGE_ONLY,
): Promise<Outcome> {
  try {
    return await resultOutcome(await run(), transport);
  } catch (error) {
    return failure(messageOf(error), retryOf(error));
  }
}

/** A result that can't be sent would fail in the same way on another peer: the failure is final. */
async function resultOutcome(value: unknown, transport: ResultTransport): Promise<Outcome> {
  const text = resultJson(value);
  if (!text.ok) return failure(text.error, false);
  const json = utf8(text.value);
  if (json.length > TASK_LARGE_RESULT_BYTES_MAX) return tooLarge(json.length);
  return transport.sealTo === null
    ? plainOutcome(json, text.value, transport)
    : sealedOutcome(json, transport.sealTo, transport);
}

/** The JSON of what a handler returned, or why it has none: the place in it that JSON would change in silence. */
export function resultJson(value: unknown): Result<string, string> {
  try {
    const text = jsonOfValue(value, "result", VALUE_DEPTH_MAX);
    return text.ok
      ? text
      : err(`the result is not JSON: ${text.error.path}: ${text.error.message}`);
  } catch (error) {
    return err(`the result is not JSON: ${messageOf(error)}`); // thrown by a getter, or by a toJSON
  }
}

function plainOutcome(
  json: Bytes,
  text: string,
  { large, inlineBytesMax = TASK_RESULT_BYTES_MAX }: ResultTransport,
): Outcome {
  if (json.length <= inlineBytesMax) return { ok: true, result: new JsonText(text) };
  return large ? { ok: true, large: json, sealed: false } : tooLarge(json.length);
}

async function sealedOutcome(
  json: Bytes,
  sealTo: string,
  { large, inlineBytesMax = TASK_RESULT_BYTES_MAX }: ResultTransport,
): Promise<Outcome> {
  // Few peers seal results: only they load what that needs.
  const { sealResult } = await import("../../stmf/task-result.ts");
  const container = sealResult(json, fromHex(sealTo) ?? new Uint8Array(), platformRandom);
  if (container === null)
    return failure(`the result can't be sealed: ${sealTo} is not a usable key`, false);
  const base64 = toBase64(container);
  const quotes = 2;
  if (base64.length + quotes <= inlineBytesMax)
    return { ok: true, result: new JsonText(`"${base64}"`), sealed: true };
  return large && container.length <= TASK_LARGE_RESULT_BYTES_MAX
    ? { ok: true, large: container, sealed: true }
    : tooLarge(container.length);
}

const tooLarge = (size: number): Outcome =>
  failure(`the result has ${size} bytes, more than can be sent`, false);

const failure = (error: string, retry: boolean): Outcome => ({
  ok: false,
  error: error.slice(0, TASK_ERROR_CHARS_MAX),
  retry,
});
