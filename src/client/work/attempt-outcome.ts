import { fromHex, toBase64, utf8, type Bytes } from "../../base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson, type Json } from "../../base/json.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import {
  TASK_ERROR_CHARS_MAX,
  TASK_LARGE_RESULT_BYTES_MAX,
  TASK_RESULT_BYTES_MAX,
} from "../../protocol/constants.ts";
import { sealResult } from "../../stmf/task-result.ts";
import { TaskError } from "../errors.ts";

/** How an attempt ended, as the mesh is told. */
export type Outcome =
  | { readonly ok: true; readonly result: Json; readonly sealed?: true }
  /** Too large for a message: its bytes travel by themselves. */
  | { readonly ok: true; readonly large: Bytes; readonly sealed: boolean }
  | { readonly ok: false; readonly error: string; readonly retry: boolean };

/** The envelope and its payload stand around the result. */
const RESULT_DEPTH_MAX = JSON_DEPTH_MAX - 2;

/** How results may travel: `sealTo` is whom to seal them to, `large` whether one that fits no message has another way. */
export interface ResultWay {
  readonly sealTo: string | null;
  readonly large: boolean;
}
const BY_MESSAGE: ResultWay = { sealTo: null, large: false };

/** Runs a handler to its outcome; never throws. */
export async function outcomeOf(
  work: () => unknown,
  way: ResultWay = BY_MESSAGE,
): Promise<Outcome> {
  try {
    return resultOutcome(await work(), way);
  } catch (error) {
    return failure(messageOf(error), error instanceof TaskError ? error.retry : true);
  }
}

/** A result that can't travel would fail in the same way on the next peer: such an attempt is not tried again. */
function resultOutcome(value: unknown, way: ResultWay): Outcome {
  let text: string;
  try {
    text = JSON.stringify(value ?? null) ?? "null";
  } catch (error) {
    return failure(`the result is not JSON: ${messageOf(error)}`, false);
  }
  const json = utf8(text);
  if (json.length > TASK_LARGE_RESULT_BYTES_MAX) return tooLarge(json.length);
  const result = parseJson(text, RESULT_DEPTH_MAX);
  if (result === undefined)
    return failure(`the result nests deeper than ${RESULT_DEPTH_MAX}`, false);
  return way.sealTo === null ? plain(json, result, way) : sealed(json, way.sealTo, way);
}

function plain(json: Bytes, result: Json, { large }: ResultWay): Outcome {
  if (json.length <= TASK_RESULT_BYTES_MAX) return { ok: true, result };
  return large ? { ok: true, large: json, sealed: false } : tooLarge(json.length);
}

function sealed(json: Bytes, sealTo: string, { large }: ResultWay): Outcome {
  const container = sealResult(json, fromHex(sealTo) ?? new Uint8Array(), platformRandom);
  if (container === null) return failure("the result can't be sealed to its caller's key", false);
  const base64 = toBase64(container);
  // The quotes around it count, too.
  if (base64.length + 2 <= TASK_RESULT_BYTES_MAX) return { ok: true, result: base64, sealed: true };
  return large && container.length <= TASK_LARGE_RESULT_BYTES_MAX
    ? { ok: true, large: container, sealed: true }
    : tooLarge(container.length);
}

const tooLarge = (size: number): Outcome =>
  failure(`the result has ${size} bytes, more than can be brought`, false);

const failure = (error: string, retry: boolean): Outcome => ({
  ok: false,
  error: error.slice(0, TASK_ERROR_CHARS_MAX),
  retry,
});

const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : String(error);
