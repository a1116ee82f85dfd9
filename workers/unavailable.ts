import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";

/** Seconds after which a part that did not answer may do so again. */
const RETRY = 2;

/** What another part of the mesh answers; `unavailable` when it throws instead, whose reason stays here. */
export async function orUnavailable<T>(
  part: string,
  call: () => Promise<T>,
): Promise<Result<T, MusterError>> {
  try {
    return ok(await call());
  } catch (thrown) {
    console.error("part of the mesh out of reach", { part, error: String(thrown) });
    return err({
      code: "unavailable",
      detail: `${part} does not answer; try again`,
      retryAfter: RETRY,
    });
  }
}
