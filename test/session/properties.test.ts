import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import type { Step } from "../../src/session/effects.ts";
import type { Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { seededRandom } from "../random.ts";
import { anyGeneratedEvent, anyFrameMove, eventOf, frameOf, SCALE } from "./arbitraries.ts";
import {
  at,
  greeted,
  GREETING,
  joined,
  commands,
  commandsNamed,
  proved,
  sealed,
  START,
  suspect,
} from "./driver.ts";

const FRAMES = 200;

vi.setConfig({ testTimeout: 60_000 * Math.max(1, SCALE) });

/** A session in each of its states. */
const STATES: readonly Session[] = [
  GREETING,
  greeted().session,
  step(greeted().session, { type: "frame", data: "struck" }, at(START)).session,
  proved(),
  joined(),
  joined({ speaksMuster: false }),
  suspect(),
  step(GREETING, { type: "closed", reason: "", silent: true }, at(START)).session,
  step(proved(), { type: "closed", reason: "", silent: true }, at(START)).session,
];

const anySequence = fc.record({
  from: fc.constantFrom(...STATES),
  seed: fc.nat(),
  events: fc.array(fc.tuple(anyGeneratedEvent, fc.nat(15 * SECOND)), {
    minLength: 30,
    maxLength: 30,
  }),
});

/** Each step of a sequence of events, with the session before it. */
function* stepsOf({
  from,
  seed,
  events,
}: typeof anySequence extends fc.Arbitrary<infer T> ? T : never): Generator<{
  readonly before: Session;
  readonly after: Step;
  readonly again: Step;
}> {
  let session = from;
  let now = START;
  for (const [index, [generated, later]] of events.entries()) {
    now += later;
    const event = eventOf(generated, session, now);
    const after = step(session, event, at(now, seededRandom(seed + index)));
    const again = step(structuredClone(session), event, at(now, seededRandom(seed + index)));
    yield { before: session, after, again };
    session = after.session;
  }
}

const runs = (numRuns: number) => ({ numRuns: numRuns * SCALE });

describe("a session, in any sequence of events", () => {
  test("HS2 a session never becomes active without the valid pong, whatever other frames arrive", () => {
    const moves = fc.array(anyFrameMove, { minLength: FRAMES, maxLength: FRAMES });
    fc.assert(
      fc.property(moves, fc.boolean(), (frames, anew) => {
        const { session: proving, pong } = greeted();
        let session: Session = proving;
        for (const move of frames) {
          const data = frameOf(move, pong);
          const taken = step(session, { type: "frame", data }, at(START));
          if (!["greeting", "proving", "closed"].includes(taken.session.state))
            throw new Error(`became ${taken.session.state}`);
          for (const { type } of taken.effects)
            if (type !== "send" && type !== "close") throw new Error(`led to ${type}`);
          session = taken.session;
          // A closed session ignores frames: the next ones go to the same session as before, or to a new one.
          if (session.state === "closed") session = anew ? GREETING : proving;
        }
        const last = step(proving, { type: "frame", data: sealed(pong) }, at(START));
        expect(last.session.state).toBe("admitting");
      }),
      runs(100),
    );
  });

  test("HS13 every event is handled in every state without an exception", () => {
    fc.assert(
      fc.property(anySequence, (sequence) => {
        for (const { before, after } of stepsOf(sequence)) {
          const closed = after.effects.filter(({ type }) => type === "close");
          expect(closed.length).toBeLessThanOrEqual(1);
          if (closed.length > 0) expect(after.session.state).toBe("closed");
          if (before.state === "closed") {
            expect(after.session).toEqual(before);
            expect(after.effects.filter(({ type }) => type === "send")).toEqual([]);
            expect(commandsNamed(after.effects, "admit")).toEqual([]);
          }
        }
      }),
      runs(200),
    );
  });

  test("HS17 `gone` is sent to the coordinator exactly when an active session ends", () => {
    fc.assert(
      fc.property(anySequence, (sequence) => {
        for (const { before, after } of stepsOf(sequence)) {
          if (before.state === "closed") continue; // it may take back an admission that was answered late
          const ended = before.state === "active" && after.session.state === "closed";
          const told = commands(after.effects).filter(({ name }) => name === "gone");
          expect(told).toHaveLength(ended ? 1 : 0);
        }
      }),
      runs(200),
    );
  });

  test("HS18 every command carries the session's own peer and epoch", () => {
    fc.assert(
      fc.property(anySequence, (sequence) => {
        for (const { before, after } of stepsOf(sequence)) {
          if (before.state !== "active") continue;
          const { epoch, claim } = before;
          for (const { input } of commands(after.effects))
            expect(input).toMatchObject({ peerId: claim.peerId, epoch });
        }
      }),
      runs(200),
    );
  });

  test("HS19 a session continues identically after its attachment was written and read back", () => {
    fc.assert(
      fc.property(anySequence, (sequence) => {
        for (const { after, again } of stepsOf(sequence)) expect(again).toEqual(after);
      }),
      runs(200),
    );
  });

  test("HS19 the generated sequences reach every state and send the expected commands", () => {
    const seen = new Set<string>();
    const tells = new Set<string>();
    for (const sequence of fc.sample(anySequence, { numRuns: 300, seed: 1 }))
      for (const { after } of stepsOf(sequence)) {
        seen.add(after.session.state);
        for (const { name } of commands(after.effects)) tells.add(name);
      }
    expect([...seen].toSorted()).toEqual(["active", "admitting", "closed", "greeting", "proving"]);
    expect([...tells].toSorted()).toEqual([
      "accept_task",
      "admit",
      "finish_task",
      "gone",
      "hear_advert",
      "observe",
      "refuse_task",
    ]);
  });
});
