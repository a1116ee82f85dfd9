import { expect, it } from "vitest";
import { TaskMoveClock } from "../../src/registry/task-move-clock.ts";

/** The alarms of so many milliseconds in which a look takes that long, and tasks fail all the time or never. */
function alarmsWithin(ms: number, lookTakes: number, fails: boolean): number {
  const clock = new TaskMoveClock();
  let [alarms, endsAt] = [0, Number.POSITIVE_INFINITY];
  for (let now = 0; now < ms; now++) {
    if (now >= endsAt) {
      clock.ended(now, false);
      endsAt = Number.POSITIVE_INFINITY;
    }
    if (fails) clock.hurry(now);
    const due = clock.due(now, true);
    if (due === null || due > now) continue;
    alarms++;
    if (endsAt === Number.POSITIVE_INFINITY && clock.begins(now, true)) endsAt = now + lookTakes;
  }
  return alarms;
}

it.each([
  ["without a failure", false],
  ["while tasks fail all the time", true],
])(
  "CE84 alarms keep their pauses while a look waits for a cell that does not answer, %s",
  (_, fails) => {
    expect(alarmsWithin(10_000, 5_000, fails)).toBeLessThanOrEqual(80);
    expect(alarmsWithin(10_000, 1, fails)).toBeLessThanOrEqual(80);
  },
);

it("CE84 a look follows after one that took long", () => {
  expect(alarmsWithin(20_000, 5_000, false)).toBeGreaterThan(3);
});
