import { STATUS_REPORT_INTERVAL } from "../protocol/constants.ts";
import type { Move } from "./effects.ts";
import type { SessionContext } from "./context.ts";
import { command, stay } from "./moves.ts";
import type { Active } from "./state.ts";

/** A change of the smoothed RTT by this share is reported at once, */
const REPORT_CHANGE = 0.25;
/** where an RTT below this counts as this many milliseconds: small changes of a small RTT do not matter. */
const REPORT_FLOOR_MS = 20;

/** Reports to the coordinator whether the peer answered a ping. */
export function reportObservation(
  session: Active,
  event: "answered" | "missed_answer",
  { now }: SessionContext,
): Move {
  const { claim, epoch, rtt, reported } = session;
  const seq = reported.seq + 1;
  const input = { peerId: claim.peerId, epoch, seq, event, rtt: event === "answered" ? rtt : null };
  return stay(
    { ...session, reported: { seq, at: now, smoothedMs: rtt.smoothedMs } },
    command({ name: "observe", input }),
  );
}

/** Whether an ordinary pong is reported: enough time has passed, or the RTT has changed. */
export function isWorthReporting({ rtt, reported }: Active, { now }: SessionContext): boolean {
  const moved = Math.abs(rtt.smoothedMs - reported.smoothedMs);
  return (
    now - reported.at >= STATUS_REPORT_INTERVAL ||
    moved > REPORT_CHANGE * Math.max(reported.smoothedMs, REPORT_FLOOR_MS)
  );
}
