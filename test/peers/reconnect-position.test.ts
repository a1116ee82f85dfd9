import { expect, test } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { drawReconnectPosition } from "../../src/peers/reconnect-position.ts";
import { seededNumbers } from "../random.ts";

test.each([
  [200, 2],
  [2_000, 20],
  [20_000, 200],
])(
  "LV14 of %i peers with a spread of %i s no second of a mass reconnect has twice the mean",
  (peers, spread) => {
    const random = seededNumbers(7);
    const seconds = new Map<number, number>();
    for (let peer = 0; peer < peers; peer++) {
      const { slot, per_second: perSecond } = drawReconnectPosition(spread * SECOND, random);
      expect(slot / perSecond).toBeLessThan(spread);
      const second = Math.floor(slot / perSecond);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    expect(seconds.size).toBe(spread);
    expect(Math.max(...seconds.values())).toBeLessThan(2 * (peers / spread));
  },
);
