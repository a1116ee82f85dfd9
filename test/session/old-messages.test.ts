import { describe, expect, test } from "vitest";
import { SECOND, toRfc3339, type Millis } from "../../src/base/clock.ts";
import { REPLAY_WINDOW_IDS } from "../../src/protocol/constants.ts";
import type { Envelope } from "../../src/protocol/envelope.ts";
import type { SessionEvent, Step } from "../../src/session/effects.ts";
import { dueAt } from "../../src/session/liveness.ts";
import type { Active } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { present } from "../must.ts";
import {
  active,
  at,
  closes,
  commandsNamed,
  joined,
  MESH,
  messages,
  said,
  START,
} from "./driver.ts";

const GENERATIONS = [1, 2] as const;
type Generation = (typeof GENERATIONS)[number];

const run = (session: Active, event: SessionEvent, now: Millis): Step =>
  step(session, event, at(now));

/** A message of the peer that its clock stamps with this time. */
const stamped = (
  generation: Generation,
  type: string,
  time: Millis,
  more: Partial<Envelope> = {},
) => said(type, { sentAt: 0, receivedAt: 0 }, { ts: toRfc3339(time), ...more }, generation);

/** The session when its next ping is due, and that ping. */
function pinged(session: Active): { session: Active; ping: Envelope; now: Millis } {
  const now = present(dueAt(session));
  const { session: next, effects } = run(session, { type: "due" }, now);
  const ping = present(messages(effects).find(({ type }) => type === "ping"));
  return { session: active({ session: next, effects }), ping, now };
}

const reasonOf = ({ effects }: Step): string =>
  commandsNamed(effects, "gone").map(({ input }) => input.reason)[0] ?? "";

describe("a peer whose clock is set back during its session", () => {
  test.each(
    GENERATIONS.flatMap((generation) =>
      [61, 3_600, 86_400 * 365].map((seconds) => [generation, seconds] as const),
    ),
  )("GP13 is closed with the true reason: generation %d, %d s", (generation, seconds) => {
    const { session, ping, now } = pinged(joined({ generation }));
    const pong = stamped(generation, "pong", now - seconds * SECOND, { replyTo: ping.id });
    const closed = run(session, pong, now);
    expect(closed.session.state).toBe("closed");
    expect(closes(closed.effects)).toEqual([4400]);
    expect(Math.abs(Number(/by ([\d.]+) s/.exec(reasonOf(closed))?.[1]) - seconds)).toBeLessThan(1);
    expect(reasonOf(closed)).toMatch(/^the peer's clock stepped back by [\d.]+ s during/);
    expect(commandsNamed(closed.effects, "gone")).toMatchObject([{ input: { silent: false } }]);
  });

  test.each(GENERATIONS)(
    "GP13 is pinged at the first message that comes too early, and closed at the pong: %d",
    (generation) => {
      const session = joined({ generation });
      const now = START + 12 * SECOND;
      const first = run(session, stamped(generation, "stats", START - 5 * SECOND), now);
      const [ping] = messages(first.effects);
      expect(ping).toMatchObject({ type: "ping" });
      const pong = stamped(generation, "pong", START - 4 * SECOND, { replyTo: present(ping).id });
      const closed = run(active(first), pong, now + SECOND);
      expect(reasonOf(closed)).toContain("stepped back");
    },
  );

  test("GP13 is not pinged again while a ping is on its way, nor within 5 s of the last", () => {
    let session: Active = joined({ generation: 2 });
    let pings = 0;
    for (let second = 0; second < 19; second++) {
      const next = run(session, stamped(2, "stats", START - SECOND), START + second * SECOND);
      const found = messages(next.effects).filter(({ type }) => type === "ping");
      pings += found.length;
      session = active(next);
      for (const { id } of found)
        session = active(
          run(
            session,
            stamped(2, "pong", START + second * SECOND, { replyTo: id }),
            START + second * SECOND,
          ),
        );
    }
    expect(pings).toBe(3);
  });
});

describe("an old message that a stranger repeats", () => {
  test.each(GENERATIONS)("GP13 ends no session, whatever its type: generation %d", (generation) => {
    const { session, ping, now } = pinged(joined({ generation }));
    const before = START - 60 * SECOND;
    const replays: [string, Partial<Envelope>][] = [
      ["ping", {}],
      ["stats", { replyTo: crypto.randomUUID() }],
      ["pong", { replyTo: crypto.randomUUID() }],
      ["pong", {}],
      ["disconnect", {}],
      // The answer to this ping, but not from the peer to the mesh.
      ["pong", { replyTo: ping.id, from: MESH.keys.id }],
    ];
    let current = session;
    for (const [type, more] of replays) {
      const next = run(current, stamped(generation, type, before, more), now);
      current = active(next);
      expect(closes(next.effects)).toEqual([]);
    }
    expect(current.strikes).toBe(0);
    // The honest peer's own pong still counts.
    const pong = stamped(generation, "pong", now, { replyTo: ping.id });
    expect(active(run(current, pong, now)).liveness.ping).toBeNull();
  });

  test.each(GENERATIONS)(
    "GP13 makes the mesh ping, whose honest answer changes nothing: generation %d",
    (generation) => {
      const session = joined({ generation });
      const now = START + 10 * SECOND;
      const replayed = run(session, stamped(generation, "disconnect", START - SECOND), now);
      const [ping] = messages(replayed.effects);
      const pong = stamped(generation, "pong", now, { replyTo: present(ping).id });
      const answered = active(run(active(replayed), pong, now + 50));
      expect(answered.liveness).toMatchObject({ ping: null, suspect: false, missed: 0 });
    },
  );
});

test("GP13 a pong to a ping of an older version, which knew no floor, ends nothing", () => {
  const { session, ping, now } = pinged(joined());
  const { floor: _, ...older } = present(session.liveness.ping);
  const upgraded = { ...session, liveness: { ...session.liveness, ping: older } };
  const pong = stamped(1, "pong", START - SECOND, { replyTo: ping.id });
  expect(active(run(upgraded, pong, now)).liveness.ping).toEqual(older);
});

test("GP13 a pong that newer messages have overtaken is no step back: it counts", () => {
  const { session, ping, now } = pinged(joined({ generation: 2 }));
  let busy = session;
  // Messages that the peer stamped after its pong, but sent before it: the oldest of them leave the window of IDs.
  for (let count = 0; count <= REPLAY_WINDOW_IDS + 1; count++) {
    const time = now + 100 * (count + 1);
    busy = active(run(busy, stamped(2, "stats", time), time));
  }
  const late = now + 100 * (REPLAY_WINDOW_IDS + 3);
  const next = run(busy, stamped(2, "pong", now + 50, { replyTo: ping.id }), late);
  expect(active(next).liveness).toMatchObject({ ping: null, heardAt: late });
});
