import { expect, test } from "vitest";
import { nearestName } from "../../src/base/near-name.ts";

const KNOWN = ["kind", "peer_id", "max_attempts", "latitude", "longitude", "id"];

test.each([
  ["kind", "kind"],
  ["knid", "kind"],
  ["Kind", "kind"],
  ["kinds", "kind"],
  ["peerId", "peer_id"],
  ["peer-id", "peer_id"],
  ["peerd_id", "peer_id"],
  ["maxAttempt", "max_attempts"],
  ["max_atempts", "max_attempts"],
  ["longitud", "longitude"],
  ["ix", null],
  ["mind_set", null],
  ["altitude", "latitude"],
  ["attitude", "latitude"],
  ["", null],
  ["k".repeat(100_000), null],
])("HT30 %s probably means %s", (name, known) => {
  expect(nearestName(name, KNOWN)).toBe(known);
});

test("HT30 the nearest name is chosen", () => {
  expect(nearestName("max_attemptz", ["max_attemp", "max_attempts"])).toBe("max_attempts");
});
