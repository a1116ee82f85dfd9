import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawReconnectPosition, reconnectPositions } from "../../src/peers/reconnect-position.ts";
import { seededNumbers } from "../random.ts";

const anyRate = fc.integer({ min: 1, max: 10_000 });

describe("the range of reconnect positions", () => {
  test("LV14 has room for every peer, and at most twice as many positions as peers need", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), anyRate, (peers, rate) => {
        const positions = reconnectPositions(peers, rate);
        const needed = Math.max(peers, 2 * rate);
        expect(positions).toBeGreaterThanOrEqual(needed);
        expect(positions).toBeLessThan(2 * needed);
      }),
    );
  });

  test("LV14 is the same for every mesh whose peers can reconnect within 2 seconds", () => {
    fc.assert(
      fc.property(anyRate, fc.double({ min: 0, max: 1, noNaN: true }), (rate, share) => {
        const peers = Math.floor(2 * rate * share);
        expect(reconnectPositions(peers, rate)).toBe(reconnectPositions(0, rate));
      }),
    );
  });

  test("LV14 positions are spread evenly: no second of a mass reconnect exceeds twice the rate", () => {
    const [peers, rate] = [20_000, 100];
    const random = seededNumbers(7);
    const positions = reconnectPositions(peers, rate);
    const seconds = new Map<number, number>();
    for (let peer = 0; peer < peers; peer++) {
      const second = Math.floor(drawReconnectPosition(positions, random) / rate);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    expect(Math.max(...seconds.values())).toBeLessThan(2 * rate);
  });
});
