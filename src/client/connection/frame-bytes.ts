import { utf8Length } from "../../base/bytes.ts";
import { writeJson } from "../../base/json-text/write-json.ts";

/** Bytes of a frame beside its message's payload, at most: the envelope, and the cipher's tag. */
const ENVELOPE_BYTES_MAX = 384;
/** The same beside the result of a `task_result`. */
const RESULT_MESSAGE_BYTES_MAX = 1_024;

/** The size of the frame of a message with this payload, or a little more. */
export const frameBytesOf = (payload: unknown): number =>
  utf8Length(writeJson(payload)) + ENVELOPE_BYTES_MAX;

/** The longest JSON of a result in a frame of at most `maxFrame` bytes. */
export const resultBytesIn = (maxFrame: number): number => maxFrame - RESULT_MESSAGE_BYTES_MAX;
