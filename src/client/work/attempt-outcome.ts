import { fromHex, toBase64, utf8, type Bytes } from "../../base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson, type Json } from "../../base/json.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import {
  TASK_ERROR_CHARS_MAX,
  TASK_LARGE_RESULT_BYTES_MAX,
  TASK_RESULT_BYTES_MAX,
} from "../../protocol/constants.ts";
import { sealResult } from "../../stmf/task-result.ts";
import { JsonText } from "./json-text.ts";
import { messageOf, retryOf } from "./thrown.ts";

/** How an attempt ended, as it is reported to the mesh. */
export type Outcome =
  | { readonly ok: true; readonly result: Json; readonly sealed?: true }
  /** The result is too large for a message: its bytes are uploaded over HTTP. */
  | { readonly ok: true; readonly large: Bytes; readonly sealed: boolean }
  | { readonly ok: false; readonly error: string; readonly retry: boolean };

/** The result is nested in the message's payload, which is nested in the envelope. */
const RESULT_DEPTH_MAX = JSON_DEPTH_MAX - 2;

/** How the result of an attempt may be sent. */
export interface ResultTransport {
  /** The public key (hex) to seal the result to; null sends it unsealed. */
  readonly sealTo: string | null;
  /** Whether a result that is too large for a message can be uploaded. */
  readonly large: boolean;
}
const MESSAGE_ONLY: ResultTransport = { sealTo: null, large: false };

/** Runs a handler and returns its outcome; never throws. */
export async function runToOutcome(
  run: () => unknown,
  transport: ResultTransport = MESSAGE_ONLY,
): Promise<Outcome> {
  try {
    return resultOutcome(await run(), transport);
  } catch (error) {
    return failure(messageOf(error), retryOf(error));
  }
}

/** A result that can't be sent would fail in the same way on another peer: the failure is final. */
function resultOutcome(value: unknown, transport: ResultTransport): Outcome {
  let text: string;
  try {
    text = value instanceof JsonText ? value.text : (JSON.stringify(value ?? null) ?? "null");
  } catch (error) {
    return failure(`the result is not JSON: ${messageOf(error)}`, false);
  }
  const json = utf8(text);
  if (json.length > TASK_LARGE_RESULT_BYTES_MAX) return tooLarge(json.length);
  const result = parseJson(text, RESULT_DEPTH_MAX);
  if (result === undefined)
    return failure(`the result is nested deeper than ${RESULT_DEPTH_MAX} levels`, false);
  return transport.sealTo === null
    ? plainOutcome(json, result, transport)
    : sealedOutcome(json, transport.sealTo, transport);
}

function plainOutcome(json: Bytes, result: Json, { large }: ResultTransport): Outcome {
  if (json.length <= TASK_RESULT_BYTES_MAX) return { ok: true, result };
  return large ? { ok: true, large: json, sealed: false } : tooLarge(json.length);
}

function sealedOutcome(json: Bytes, sealTo: string, { large }: ResultTransport): Outcome {
  const container = sealResult(json, fromHex(sealTo) ?? new Uint8Array(), platformRandom);
  if (container === null)
    return failure(`the result can't be sealed: ${sealTo} is not a usable key`, false);
  const base64 = toBase64(container);
  const quotes = 2;
  if (base64.length + quotes <= TASK_RESULT_BYTES_MAX)
    return { ok: true, result: base64, sealed: true };
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
