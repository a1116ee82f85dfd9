import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newIdWindow, checkAndRemember, type IdWindow } from "../../src/session/id-window.ts";
import { REPLAY_WINDOW_IDS } from "../../src/protocol/constants.ts";

const FLOOR = 1_000;

/** Passes messages through a window; returns the verdict on each, and the resulting window. */
function feed(messages: readonly (readonly [id: string, stamp: number])[]) {
  let window: IdWindow = newIdWindow(FLOOR);
  const judged = messages.map(([id, stamp]) => {
    const { freshness, window: next } = checkAndRemember(window, id, stamp);
    window = next;
    return freshness;
  });
  return { judged, window };
}

const numbered = (count: number): [string, number][] =>
  Array.from({ length: count }, (_, index) => [`id ${index}`, FLOOR + index]);

describe("the replay window of message IDs", () => {
  test("HS10 a message with a timestamp before the floor is dropped, one at the floor is accepted", () => {
    expect(
      feed([
        ["a", FLOOR - 1],
        ["a", FLOOR],
      ]).judged,
    ).toEqual(["old", "fresh"]);
  });

  test("HS11 each of the last 256 message IDs is recognized as a duplicate", () => {
    const first = numbered(REPLAY_WINDOW_IDS);
    const { judged } = feed([...first, ...first]);
    expect(judged.slice(0, REPLAY_WINDOW_IDS)).toEqual(first.map(() => "fresh"));
    expect(judged.slice(REPLAY_WINDOW_IDS)).toEqual(first.map(() => "duplicate"));
  });

  test("HS11 a message as old as an ID that has left the window is dropped", () => {
    const { judged } = feed([...numbered(REPLAY_WINDOW_IDS + 1), ["id 0", FLOOR], ["new", FLOOR]]);
    expect(judged.slice(-2)).toEqual(["old", "old"]);
  });

  test("HS11 the window never holds more than 256 IDs", () => {
    const { window } = feed(numbered(3 * REPLAY_WINDOW_IDS));
    expect(window.ids).toHaveLength(REPLAY_WINDOW_IDS);
    expect(window.times).toHaveLength(REPLAY_WINDOW_IDS);
  });

  test("HS11 no message is accepted twice, in any order of arrival", () => {
    const stamps = fc.array(fc.integer({ min: FLOOR - 20, max: FLOOR + 400 }), {
      minLength: 2 * REPLAY_WINDOW_IDS,
      maxLength: 2 * REPLAY_WINDOW_IDS,
    });
    const picks = fc.array(fc.nat(2 * REPLAY_WINDOW_IDS - 1), { minLength: 900, maxLength: 900 });
    fc.assert(
      fc.property(stamps, picks, (stampOf, order) => {
        const messages = order.map((id): [string, number] => [`id ${id}`, stampOf[id] as number]);
        const { judged } = feed(messages);
        const taken = messages.filter((_, index) => judged[index] === "fresh").map(([id]) => id);
        expect(new Set(taken).size).toBe(taken.length);
      }),
      { numRuns: 30 },
    );
  });

  test("HS11 a new ID with a later timestamp than all others is always accepted", () => {
    const steps = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(steps, (increments) => {
        let stamp = FLOOR;
        const messages = increments.map((by, index): [string, number] => {
          stamp += by;
          return [`id ${index}`, stamp];
        });
        expect(new Set(feed(messages).judged)).toEqual(new Set(["fresh"]));
      }),
      { numRuns: 30 },
    );
  });
});
