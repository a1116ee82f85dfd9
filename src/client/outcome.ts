import { utf8 } from "../base/bytes.ts";
import { JSON_DEPTH_MAX, parseJson, type Json } from "../base/json.ts";
import { TASK_ERROR_CHARS_MAX, TASK_RESULT_BYTES_MAX } from "../protocol/constants.ts";
import { TaskError } from "./errors.ts";

/** How an attempt ended, as the mesh is told. */
export type Outcome =
  | { readonly ok: true; readonly result: Json }
  | { readonly ok: false; readonly error: string; readonly retry: boolean };

/** The envelope and its payload stand around the result. */
const RESULT_DEPTH_MAX = JSON_DEPTH_MAX - 2;

/** Runs a handler to its outcome; never throws. */
export async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    return resultOutcome(await work());
  } catch (error) {
    return failure(messageOf(error), error instanceof TaskError ? error.retry : true);
  }
}

/** A result that can't travel would fail in the same way on the next peer: such an attempt is not tried again. */
function resultOutcome(value: unknown): Outcome {
  let text: string;
  try {
    text = JSON.stringify(value ?? null) ?? "null";
  } catch (error) {
    return failure(`the result is not JSON: ${messageOf(error)}`, false);
  }
  const size = utf8(text).length;
  if (size > TASK_RESULT_BYTES_MAX) {
    return failure(`the result has ${size} bytes, more than ${TASK_RESULT_BYTES_MAX}`, false);
  }
  const result = parseJson(text, RESULT_DEPTH_MAX);
  return result === undefined
    ? failure(`the result nests deeper than ${RESULT_DEPTH_MAX}`, false)
    : { ok: true, result };
}

const failure = (error: string, retry: boolean): Outcome => ({
  ok: false,
  error: error.slice(0, TASK_ERROR_CHARS_MAX),
  retry,
});

const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : String(error);
