import { faultOf } from "../src/base/log/log-events.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { isFullError } from "../src/base/full-storage.ts";
import { NO_ROOM } from "../durable/coordinator-errors.ts";
import { log } from "../durable/worker-log.ts";

/** Seconds after which the caller may try again. */
const RETRY = 2;

/** The answer of another part of the mesh; `storage_full` or `unavailable` if the call throws. The reason is only logged. */
export async function orUnavailable<T>(
  part: string,
  call: () => Promise<T>,
): Promise<Result<T, MusterError>> {
  try {
    return ok(await call());
  } catch (thrown) {
    log.write("part.unavailable", { part, ...faultOf(thrown) });
    if (isFullError(thrown)) return err(NO_ROOM);
    return err({
      code: "unavailable",
      detail: `${part} does not answer; try again`,
      retryAfter: RETRY,
    });
  }
}
