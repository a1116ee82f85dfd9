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

/**
 * A ping that was sent and has no pong yet. Its ID is unpredictable, so only the peer that decrypted it can answer it.
 */
export interface OutstandingPing {
  readonly id: string;
  readonly sentAt: Millis;
  /**
   * When the answer counts as missed; null when the ping was sent only for an RTT sample, to a peer that sends
   * heartbeats.
   */
  readonly dueAt: Millis | null;
  /** Whether `dueAt` was extended already because the object itself was late. It is extended once. */
  readonly graceGranted: boolean;
  /**
   * Over go-p2p: the session's floor when the ping was sent. A pong to it that is stamped earlier shows that the peer's clock was
   * set back. Absent in a ping of an older version.
   */
  readonly floor?: Millis | undefined;
}

/** What a session knows about the liveness of its peer. */
export interface Liveness {
  /** The newest sign of life: a heartbeat, an answer, any message. */
  readonly heardAt: Millis;
  /**
   * Whether the peer sends heartbeats, which the platform answers without waking the object; null until the first
   * check shows it.
   */
  readonly heartbeats: boolean | null;
  readonly ping: OutstandingPing | null;
  /** When the last ping was sent. */
  readonly pingedAt: Millis;
  /** Missed answers in a row. */
  readonly missed: number;
  /** Whether the registry has the peer as suspect: it is pinged often until the coordinator says otherwise. */
  readonly suspect: boolean;
  /**
   * Until when the peer may hold a lease. It is checked often until then, so that its tasks soon go to another peer if
   * it is lost.
   */
  readonly leasedUntil: Millis;
  /** How often the peer is pinged while it sends no heartbeats; absent: every 30 s. */
  readonly pingInterval?: Millis | undefined;
}

/** Liveness after the key proof, which is a sign of life. `pingedAt`: when the peer was pinged for it. */
export const newLiveness = (
  now: Millis,
  heartbeats: boolean | null,
  pingedAt: Millis = now,
): Liveness => ({
  heardAt: now,
  heartbeats,
  ping: null,
  pingedAt,
  missed: 0,
  suspect: false,
  leasedUntil: 0,
});

/** When the peer must be checked next. */
export function nextCheckAt({
  heardAt,
  heartbeats,
  ping,
  pingedAt,
  suspect,
  leasedUntil,
  pingInterval = PING_INTERVAL,
}: Liveness): Millis {
  if (ping !== null && ping.dueAt !== null) return ping.dueAt;
  if (suspect) return pingedAt + Math.min(SUSPECT_CHECK_INTERVAL, pingInterval);
  if (heartbeats === null) return heardAt + HEARTBEAT_TIMEOUT;
  if (!heartbeats) return pingedAt + pingInterval;
  return heardAt + (leasedUntil > heardAt ? LEASED_CHECK_INTERVAL : IDLE_CHECK_INTERVAL);
}

/** Liveness with the newest heartbeat that the platform answered, which is a sign of life. */
export function withHeartbeat(
  liveness: Liveness,
  heartbeatAt: Millis | null,
  now: Millis,
): Liveness {
  if (heartbeatAt === null) return liveness;
  const heartbeats = now - heartbeatAt <= HEARTBEAT_TIMEOUT ? true : liveness.heartbeats;
  return { ...liveness, heardAt: Math.max(liveness.heardAt, heartbeatAt), heartbeats };
}

/** Whether the newest sign of life is recent enough to send the peer an offer. */
export const isFresh = ({ heardAt }: Liveness, now: Millis): boolean =>
  now - heardAt <= HEARTBEAT_TIMEOUT;

/**
 * Whether it is too early for the check that is due at `due`. An alarm is not moved for each sign of life, because
 * that writes a row: an alarm that rings a little early counts as on time, unless an answer is awaited.
 */
export function isEarly(
  { ping, suspect, heartbeats }: Liveness,
  due: Millis,
  now: Millis,
): boolean {
  const awaited = ping !== null && ping.dueAt !== null;
  const exact = awaited || suspect || heartbeats !== true;
  return now < due - (exact ? 0 : HEARTBEAT_INTERVAL);
}

/** The result of a liveness check. */
export type LivenessCheck =
  /** The check is not due yet. */
  | { readonly result: "early" }
  /** The peer is alive. Ping it for an RTT sample, without a deadline. */
  | { readonly result: "alive" }
  /** The peer is alive after a missed answer. */
  | { readonly result: "restored" }
  /**
   * Unknown: ping, and expect the answer by `answerBy`. `graceGranted`: the check was late, and the delay was added to
   * the deadline.
   */
  | { readonly result: "unknown"; readonly answerBy: Millis; readonly graceGranted: boolean }
  /** The check was late: the answer may have arrived and wait to be read, so the deadline is extended. */
  | { readonly result: "grace_granted"; readonly answerBy: Millis }
  /** The answer was missed: the peer is suspect. Ping again. */
  | { readonly result: "missed"; readonly answerBy: Millis }
  /** The peer is lost. */
  | { readonly result: "lost" };

/**
 * Checks a peer that is due. A peer with heartbeats is alive as long as they come; any other peer is pinged. When the
 * check itself is late, whatever delayed it may also delay the reading of the peer's messages, so the peer gets as
 * much more time (like memberlist's awareness, with the delay measured instead of estimated).
 */
export function checkPeer(liveness: Liveness, due: Millis, now: Millis): LivenessCheck {
  if (isEarly(liveness, due, now)) return { result: "early" };
  const late = now - due > ALARM_DELAY_TOLERANCE ? Math.min(now - due, DEADLINE_EXTENSION_MAX) : 0;
  const { ping, heardAt, heartbeats, suspect, missed } = liveness;
  if (ping !== null && ping.dueAt !== null) {
    if (heardAt > ping.sentAt) return { result: missed > 0 || suspect ? "restored" : "alive" };
    if (late > 0 && !ping.graceGranted) return { result: "grace_granted", answerBy: now + late };
    return missed + 1 >= MISSED_PONGS_MAX
      ? { result: "lost" }
      : { result: "missed", answerBy: now + PONG_TIMEOUT };
  }
  const answerBy = now + PONG_TIMEOUT + late;
  const asked: LivenessCheck = { result: "unknown", answerBy, graceGranted: late > 0 };
  if (suspect || heartbeats !== true) return asked;
  if (isFresh(liveness, now)) return { result: "alive" };
  return late > 0 ? asked : { result: "missed", answerBy };
}
