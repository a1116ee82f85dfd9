import { expect, it } from "vitest";
import { TaskMoveClock } from "../../src/registry/task-move-clock.ts";

/** The alarms and looks of so many milliseconds in which a look takes that long, and tasks fail all the time or never. */
function within(ms: number, lookTakes: number, fails: boolean) {
  const clock = new TaskMoveClock();
  let [alarms, looks, endsAt] = [0, 0, Number.POSITIVE_INFINITY];
  for (let now = 0; now < ms; now++) {
    if (now >= endsAt) {
      clock.ended(now, false);
      endsAt = Number.POSITIVE_INFINITY;
    }
    if (fails) clock.hurry(now);
    if ((clock.due(now, true) ?? Infinity) > now) continue;
    alarms++;
    clock.tick(now, true);
    if (endsAt < Number.POSITIVE_INFINITY || !clock.begins()) continue;
    looks++;
    endsAt = now + lookTakes;
  }
  return { alarms, looks };
}

it.each([
  ["without a failure", false],
  ["while tasks fail all the time", true],
])(
  "CE84 alarms keep their pauses while a look waits for a cell that does not answer, %s",
  (_, fails) => {
    const { alarms, looks } = within(20_000, 5_000, fails);
    expect(alarms).toBeLessThanOrEqual(20_000 / 125);
    expect(looks).toBeGreaterThanOrEqual(3);
  },
);

it("CE84 each look costs one alarm", () => {
  for (const fails of [false, true]) {
    const { alarms, looks } = within(10_000, 1, fails);
    expect(looks).toBe(alarms);
    expect(looks).toBeGreaterThan(8);
  }
});
