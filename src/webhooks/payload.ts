import { utf8 } from "../base/bytes.ts";
import { JSON_DEPTH_MAX, type Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TASK_PAYLOAD_BYTES_MAX } from "../protocol/constants.ts";
import type { ApiError } from "../protocol/errors.ts";

/**
 * How deeply a payload may be nested: the message that carries it to a peer adds two levels (the envelope and the offer), and
 * the peer accepts at most JSON_DEPTH_MAX.
 */
export const PAYLOAD_DEPTH_MAX = JSON_DEPTH_MAX - 2;

/**
 * Checks that a mapped value can be a task's payload. Its bytes are counted without serializing it, and only up to the limit: a
 * template may contain one large part of the event thousands of times, which takes no memory until it is serialized.
 *
 * A payload that is too large is `event_unmapped`, not `payload_too_large`: the sender's body is within its limit, and the
 * mapping must select less of it.
 */
export function checkPayload(payload: Json): Result<void, ApiError> {
  const excess = excessOf(payload);
  if (excess === null) return ok(undefined);
  const limit =
    excess === "bytes"
      ? `be larger than ${TASK_PAYLOAD_BYTES_MAX} bytes`
      : `be nested deeper than ${PAYLOAD_DEPTH_MAX} levels`;
  return err({
    code: "event_unmapped",
    detail: `the payload would ${limit}; map a smaller part of the event`,
  });
}

type Excess = "bytes" | "depth";

/** The limit that a value exceeds, by the bytes of its JSON (as `JSON.stringify` writes it) and by its nesting; null if none. */
function excessOf(payload: Json): Excess | null {
  let room = TASK_PAYLOAD_BYTES_MAX;
  const spend = (bytes: number): boolean => (room -= bytes) >= 0;

  const visit = (value: Json, levels: number): Excess | null => {
    if (typeof value !== "object" || value === null) return spend(sizeOf(value)) ? null : "bytes";
    if (levels === 0) return "depth";
    const keys = Array.isArray(value) ? null : Object.keys(value);
    const members: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
    if (!spend(2 + Math.max(0, members.length - 1))) return "bytes"; // brackets and commas
    for (const [i, member] of members.entries()) {
      if (keys !== null && !spend(sizeOf(keys[i] ?? "") + 1)) return "bytes"; // the key and its colon
      const excess = visit(member, levels - 1);
      if (excess !== null) return excess;
    }
    return null;
  };
  return visit(payload, PAYLOAD_DEPTH_MAX);
}

const sizeOf = (leaf: string | number | boolean | null): number =>
  utf8(JSON.stringify(leaf)).length;
