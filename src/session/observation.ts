import { STATUS_REPORT_INTERVAL } from "../protocol/constants.ts";
import type { Move } from "./effects.ts";
import type { SessionContext } from "./context.ts";
import { command, stay } from "./moves.ts";
import type { Active } from "./state.ts";

/** The coordinator hears at once when the smoothed RTT has moved by this share of it, */
const TELL_CHANGE = 0.25;
/** or of this many milliseconds, if it is less: what is that near is near enough. */
const TELL_FLOOR_MS = 20;

/** Tells the coordinator what became of the peer. */
export function reportObservation(
  session: Active,
  event: "answered" | "missed_answer",
  { now }: SessionContext,
): Move {
  const { claim, epoch, rtt, reported: told } = session;
  const seq = told.seq + 1;
  const input = { peerId: claim.peerId, epoch, seq, event, rtt: event === "answered" ? rtt : null };
  return stay(
    { ...session, reported: { seq, at: now, smoothedMs: rtt.smoothedMs } },
    command({ name: "observe", input }),
  );
}

/** Whether the coordinator wants to hear of a steady peer's answer: it need not hear of every one. */
export function isWorthReporting(
  { rtt, reported: told }: Active,
  { now }: SessionContext,
): boolean {
  const moved = Math.abs(rtt.smoothedMs - told.smoothedMs);
  return (
    now - told.at >= STATUS_REPORT_INTERVAL ||
    moved > TELL_CHANGE * Math.max(told.smoothedMs, TELL_FLOOR_MS)
  );
}
