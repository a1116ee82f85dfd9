import { DAY, HOUR, type Millis } from "../base/clock.ts";

/** The share of time for which a peer was connected, weighted toward the recent past. */
export interface Uptime {
  /** 0..1. */
  readonly share: number;
  /** How much time the share rests on, in milliseconds, after fading. */
  readonly knownMs: number;
  /** Up to when time was counted. */
  readonly at: Millis;
}

/** Time constant of the fading. */
const FADING: Millis = DAY;

/** The share after a stretch of time in which the peer was connected, or was not. */
export function uptimeAfter(before: Uptime | null, connected: boolean, now: Millis): Uptime {
  if (before === null) return { share: Number(connected), knownMs: 0, at: now };
  const elapsed = Math.max(0, now - before.at);
  const left = Math.exp(-elapsed / FADING);
  const added = FADING * (1 - left);
  const knownMs = before.knownMs * left + added;
  const upMs = before.share * before.knownMs * left + (connected ? added : 0);
  return {
    share: knownMs > 0 ? Math.min(1, upMs / knownMs) : before.share,
    knownMs,
    at: Math.max(now, before.at),
  };
}

/** Assumed connected time before anything is known, so that a new peer does not count as unreliable. */
const PRIOR: Millis = HOUR;

/** The expected share, 0..1: shrunk toward 1 while it rests on little time. */
export const expectedUptime = ({ share, knownMs }: Uptime): number =>
  (share * knownMs + PRIOR) / (knownMs + PRIOR);

/**
 * Scale of the Weibull distribution of session lengths. Shape 1/2 fits most of nine real availability traces (0.33 to
 * 0.85 by Javadi et al., JPDC 2013), and the scale matches their mean hazard. The risk falls with age: a peer that has
 * been connected for long is likely to stay.
 */
const SCALE: Millis = 10 * HOUR;

/** How likely a session of an age is to end within a time, 0..1. */
export function lossRisk(age: Millis, within: Millis): number {
  const from = Math.max(0, age);
  return 1 - Math.exp(Math.sqrt(from / SCALE) - Math.sqrt((from + Math.max(0, within)) / SCALE));
}
