import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import {
  checkPeer,
  nextCheckAt,
  newLiveness,
  withHeartbeat,
  type Liveness,
} from "../../src/peers/liveness.ts";

/** What a session does with its peer, told by when the peer beats and how late each look comes. */
interface Story {
  /** When the peer's last beat came; from then on it says nothing and answers nothing. */
  readonly diesAt: Millis;
  /** When the peer's first beat comes; then one every 25 s. */
  readonly phase: Millis;
  readonly lateness: () => Millis;
  readonly leased: boolean;
}

interface Told {
  readonly suspectAt: Millis | null;
  readonly lostAt: Millis | null;
  readonly looks: number;
}

const BEAT = 25 * SECOND;

/** Plays a session until its peer is lost, or for so long. */
function play({ diesAt, phase, lateness, leased }: Story, length: Millis): Told {
  let liveness: Liveness = newLiveness(0, null);
  if (leased) liveness = { ...liveness, leasedUntil: Number.POSITIVE_INFINITY };
  let suspectAt: Millis | null = null;
  let looks = 0;
  for (;;) {
    const due = nextCheckAt(liveness);
    const now = due + lateness();
    if (now > length) return { suspectAt, lostAt: null, looks };
    looks++;
    const alive = Math.min(now, diesAt);
    const beats = Math.floor((alive - phase) / BEAT);
    const beatAt = beats < 0 ? null : phase + beats * BEAT;
    liveness = withHeartbeat(liveness, beatAt, now);
    const verdict = checkPeer(liveness, due, now);
    const asks = (dueAt: Millis | null, graceGranted = false): void => {
      // A living peer answers at once.
      const answered = now < diesAt;
      liveness = answered
        ? { ...liveness, heardAt: now, pingedAt: now, missed: 0, suspect: false, ping: null }
        : { ...liveness, pingedAt: now, ping: { id: "", sentAt: now, dueAt, graceGranted } };
      if (liveness.heartbeats === null) liveness = { ...liveness, heartbeats: beatAt !== null };
    };
    switch (verdict.result) {
      case "early":
        throw new Error("a look before its time");
      case "alive":
        asks(null);
        break;
      case "restored":
        liveness = { ...liveness, ping: null, missed: 0, suspect: false };
        break;
      case "unknown":
        asks(verdict.answerBy, verdict.graceGranted);
        break;
      case "grace_granted":
        liveness = {
          ...liveness,
          ping: liveness.ping && { ...liveness.ping, dueAt: verdict.answerBy, graceGranted: true },
        };
        break;
      case "missed":
        suspectAt ??= now;
        liveness = { ...liveness, missed: liveness.missed + 1, suspect: true };
        asks(verdict.answerBy);
        break;
      case "lost":
        return { suspectAt, lostAt: now, looks };
      default:
        verdict satisfies never;
    }
  }
}

const phase = fc.integer({ min: 0, max: BEAT });
const lateness = (max: Millis) =>
  fc.array(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 20 }).map((draws) => {
    let at = 0;
    return () => draws[at++ % draws.length] as Millis;
  });
const HOURS = 60 * MINUTE;
const prompt = (): Millis => 0;

describe("a peer that sends heartbeats", () => {
  test("LV8 is never suspect, however late the checks come", () => {
    fc.assert(
      fc.property(phase, lateness(MINUTE), fc.boolean(), (first, late, leased) => {
        const story = { diesAt: Number.POSITIVE_INFINITY, phase: first, lateness: late, leased };
        expect(play(story, 24 * HOURS)).toMatchObject({ suspectAt: null, lostAt: null });
      }),
    );
  });

  test("LV8 is checked four times an hour while it is idle, and about once a minute while it holds a lease", () => {
    const alive = { diesAt: Number.POSITIVE_INFINITY, phase: 7 * SECOND, lateness: prompt };
    const idle = play({ ...alive, leased: false }, 24 * HOURS).looks;
    expect(idle).toBeLessThanOrEqual(24 * 4 + 4);
    const leased = play({ ...alive, leased: true }, HOURS).looks;
    expect(leased).toBeGreaterThanOrEqual(60);
    expect(leased).toBeLessThanOrEqual(100);
  });

  test("LV8 that stops while it holds a lease is lost within 80 s of its last heartbeat plus the delay of the checks", () => {
    fc.assert(
      fc.property(
        phase,
        fc.integer({ min: 0, max: HOURS }),
        lateness(20 * SECOND),
        (first, dies, late) => {
          const diesAt = 2 * MINUTE + dies;
          const { suspectAt, lostAt } = play(
            { diesAt, phase: first, lateness: late, leased: true },
            3 * HOURS,
          );
          // Each late look is forgiven once: at most three looks come, each up to 20 s late and up to 20 s forgiven.
          expect(lostAt).toBeLessThanOrEqual(diesAt + 80 * SECOND + 6 * 20 * SECOND);
          expect(suspectAt).not.toBeNull();
        },
      ),
    );
  });

  test("LV8 that stops while it holds a lease is lost within 80 s when the checks are on time", () => {
    fc.assert(
      fc.property(phase, fc.integer({ min: 0, max: HOURS }), (first, dies) => {
        const diesAt = 2 * MINUTE + dies;
        const { lostAt } = play(
          { diesAt, phase: first, lateness: prompt, leased: true },
          3 * HOURS,
        );
        expect(lostAt).toBeLessThanOrEqual(diesAt + 80 * SECOND);
      }),
    );
  });

  test("LV8 that stops while idle is lost within two check intervals", () => {
    fc.assert(
      fc.property(phase, fc.integer({ min: 0, max: HOURS }), (first, dies) => {
        const diesAt = 2 * MINUTE + dies;
        const { lostAt } = play(
          { diesAt, phase: first, lateness: prompt, leased: false },
          3 * HOURS,
        );
        expect(lostAt).toBeLessThanOrEqual(diesAt + 30 * MINUTE);
      }),
    );
  });
});

describe("a peer that never sends heartbeats", () => {
  test("LV8 is pinged every 30 s from its first check on", () => {
    const silentToPlatform = { diesAt: Number.POSITIVE_INFINITY, phase: Number.POSITIVE_INFINITY };
    const { looks, suspectAt } = play(
      { ...silentToPlatform, lateness: prompt, leased: false },
      HOURS,
    );
    expect(suspectAt).toBeNull();
    expect(looks).toBeGreaterThanOrEqual(118);
    expect(looks).toBeLessThanOrEqual(121);
  });
});
