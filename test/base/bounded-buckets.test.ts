import { expect, test } from "vitest";
import { BoundedBuckets } from "../../src/base/bounded-buckets.ts";

const NOW = 1_000_000;
const RATE = { tokens: 3, per: 3_000, max: 3 };
const KEYS = 5;

/** How many of so many takes succeed. */
const taken = (buckets: BoundedBuckets, key: string, takes: number, now = NOW): number =>
  Array.from({ length: takes }, () => buckets.take(key, now)).filter(Boolean).length;

test("NX19 each key has a bucket of its own, which refills", () => {
  const buckets = new BoundedBuckets(RATE, KEYS);
  expect([taken(buckets, "a", 9), taken(buckets, "b", 9)]).toEqual([3, 3]);
  expect(taken(buckets, "a", 9, NOW + 1_000)).toBe(1);
  expect(taken(buckets, "a", 9, NOW + 60_000)).toBe(3);
});

test("NX19 what is given back can be taken again, up to a full bucket", () => {
  const buckets = new BoundedBuckets(RATE, KEYS);
  expect(taken(buckets, "a", 9)).toBe(3);
  buckets.giveBack("a", NOW);
  expect(taken(buckets, "a", 9)).toBe(1);
  for (let times = 0; times < 9; times++) buckets.giveBack("a", NOW);
  expect(taken(buckets, "a", 9)).toBe(3);
});

test("NX19 the keys that were used last are remembered", () => {
  const buckets = new BoundedBuckets(RATE, KEYS);
  taken(buckets, "first", 3);
  taken(buckets, "second", 3);
  for (let n = 0; n < KEYS - 2; n++) buckets.take(String(n), NOW);
  buckets.giveBack("first", NOW);
  buckets.take("one more", NOW);
  expect([taken(buckets, "first", 9), taken(buckets, "second", 9)]).toEqual([1, 3]);
});
