import type { Millis } from "../base/clock.ts";
import {
  HEARTBEAT_INTERVAL,
  IDLE_CHECK_INTERVAL,
  ALARM_DELAY_TOLERANCE,
  LEASED_CHECK_INTERVAL,
  MISSED_PONGS_MAX,
  DEADLINE_EXTENSION_MAX,
  PING_INTERVAL,
  PONG_TIMEOUT,
  HEARTBEAT_TIMEOUT,
  SUSPECT_CHECK_INTERVAL,
} from "../protocol/constants.ts";

/** A ping of ours that waits for its pong; its ID is unpredictable, so only who opened it can answer it. */
export interface OutstandingPing {
  readonly id: string;
  readonly sentAt: Millis;
  /** When an answer is missed; null when it was sent for the RTT alone, to a peer of whom we hear anyway. */
  readonly dueAt: Millis | null;
  /** Whether `dueAt` was put off already, because the object itself was late: that happens once. */
  readonly graceGranted: boolean;
}

/** What a session knows of whether its peer is there. */
export interface Liveness {
  /** The newest sign of life: a beat, an answer, any message. */
  readonly heardAt: Millis;
  /** Whether the peer beats, which the platform answers without waking us; null until the first look shows it. */
  readonly heartbeats: boolean | null;
  readonly ping: OutstandingPing | null;
  /** When we last pinged. */
  readonly askedAt: Millis;
  /** Misses in a row. */
  readonly missed: number;
  /** The registry holds it for suspect: it is asked often until the coordinator says otherwise. */
  readonly suspect: boolean;
  /** Until when it may hold a lease; looked at often until then, so that what it holds is soon another's. */
  readonly leasedUntil: Millis;
}

/** The proof was a sign of life. */
export const newLiveness = (now: Millis, beats: boolean | null): Liveness => ({
  heardAt: now,
  heartbeats: beats,
  ping: null,
  askedAt: now,
  missed: 0,
  suspect: false,
  leasedUntil: 0,
});

/** When the peer has to be looked at next. */
export function lookAt({
  heardAt,
  heartbeats: beats,
  ping,
  askedAt,
  suspect,
  leasedUntil,
}: Liveness): Millis {
  if (ping !== null && ping.dueAt !== null) return ping.dueAt;
  if (suspect) return askedAt + SUSPECT_CHECK_INTERVAL;
  if (beats === null) return heardAt + HEARTBEAT_TIMEOUT;
  if (!beats) return askedAt + PING_INTERVAL;
  return heardAt + (leasedUntil > heardAt ? LEASED_CHECK_INTERVAL : IDLE_CHECK_INTERVAL);
}

/** The beat that the platform answered last, if any, is a sign of life. */
export function withHeartbeat(liveness: Liveness, beatAt: Millis | null, now: Millis): Liveness {
  if (beatAt === null) return liveness;
  const beats = now - beatAt <= HEARTBEAT_TIMEOUT ? true : liveness.heartbeats;
  return { ...liveness, heardAt: Math.max(liveness.heardAt, beatAt), heartbeats: beats };
}

/** Whether the peer was heard of so lately that it can be given something. */
export const isFresh = ({ heardAt }: Liveness, now: Millis): boolean =>
  now - heardAt <= HEARTBEAT_TIMEOUT;

/**
 * Whether it is too early for the look that is due then. An alarm is not moved for a sign of life that came since it was set,
 * for moving it is a row written: that it rings a little before its time is as good as on time, unless an answer is awaited.
 */
export function isEarly(
  { ping, suspect, heartbeats: beats }: Liveness,
  due: Millis,
  now: Millis,
): boolean {
  const awaited = ping !== null && ping.dueAt !== null;
  const exact = awaited || suspect || beats !== true;
  return now < due - (exact ? 0 : HEARTBEAT_INTERVAL);
}

/** What a look found, and what is to be done. */
export type Verdict =
  /** It is not time yet. */
  | { readonly is: "early" }
  /** Alive; ping for an RTT sample, whose answer nobody waits for. */
  | { readonly is: "alive" }
  /** Alive after a miss. */
  | { readonly is: "restored" }
  /** Not known: ping, and expect the answer by `answerBy`. `graceGranted`: this look was late, which was added to the wait. */
  | { readonly is: "unknown"; readonly answerBy: Millis; readonly graceGranted: boolean }
  /** The look was late: the answer may have come as late, and waits to be read. */
  | { readonly is: "grace_granted"; readonly answerBy: Millis }
  /** Suspect: ping again. */
  | { readonly is: "missed"; readonly answerBy: Millis }
  /** Not there any more. */
  | { readonly is: "lost" };

/**
 * Looks at a peer whose time has come. Who beats is alive as long as it beats; who does not is asked. A look that comes
 * late doubts itself first: whatever kept it from looking may keep what the peer said from being read, so the peer gets as
 * much longer as the look was late (memberlist's awareness, with the lateness measured instead of guessed).
 */
export function look(liveness: Liveness, due: Millis, now: Millis): Verdict {
  if (isEarly(liveness, due, now)) return { is: "early" };
  const late = now - due > ALARM_DELAY_TOLERANCE ? Math.min(now - due, DEADLINE_EXTENSION_MAX) : 0;
  const { ping, heardAt, heartbeats: beats, suspect, missed } = liveness;
  if (ping !== null && ping.dueAt !== null) {
    if (heardAt > ping.sentAt) return { is: missed > 0 || suspect ? "restored" : "alive" };
    if (late > 0 && !ping.graceGranted) return { is: "grace_granted", answerBy: now + late };
    return missed + 1 >= MISSED_PONGS_MAX
      ? { is: "lost" }
      : { is: "missed", answerBy: now + PONG_TIMEOUT };
  }
  const answerBy = now + PONG_TIMEOUT + late;
  const asked: Verdict = { is: "unknown", answerBy, graceGranted: late > 0 };
  if (suspect || beats !== true) return asked;
  if (isFresh(liveness, now)) return { is: "alive" };
  return late > 0 ? asked : { is: "missed", answerBy };
}
