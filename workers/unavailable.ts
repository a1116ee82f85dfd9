import { faultOf } from "../src/base/log/log-events.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import { isDamagedError } from "../src/base/damaged-storage.ts";
import { lackedRoom, type DiskService } from "../src/base/disk-shortage.ts";
import { DAMAGED, NO_ROOM } from "../durable/coordinator-errors.ts";
import { log } from "../durable/worker-log.ts";

/** Seconds after which the caller may try again. */
const RETRY = 2;

/**
 * The answer of another part of the mesh; `storage_full` or `unavailable` if the call throws. The reason is only logged.
 * @param disk the host's, if there is one
 * @param noRoom the error if the disk is full
 */
export async function orUnavailable<T>(
  disk: DiskService | undefined,
  part: string,
  call: () => Promise<T>,
  noRoom: MusterError = NO_ROOM,
): Promise<Result<T, MusterError>> {
  try {
    return ok(await call());
  } catch (thrown) {
    log.write("part.unavailable", { part, ...faultOf(thrown) });
    if (await lackedRoom(thrown, disk)) return err(noRoom);
    if (isDamagedError(thrown)) return err(DAMAGED);
    return err({
      code: "unavailable",
      detail: `${part} does not answer; try again`,
      retryAfter: RETRY,
    });
  }
}
