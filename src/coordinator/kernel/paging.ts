import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";

/**
 * Reads the cursor of a list by sequence number. Accepts only the canonical form, and only numbers that a double
 * represents exactly.
 */
export function readSequence(cursor: string | undefined): Result<number | undefined, MusterError> {
  if (cursor === undefined) return ok(undefined);
  return /^[1-9][0-9]{0,14}$/.test(cursor) ? ok(Number(cursor)) : badCursor();
}

export const badCursor = (): Result<never, MusterError> =>
  err({ code: "invalid_request", detail: "cursor: use the next_cursor of the previous page" });
