import { expect, test } from "vitest";
import { ReplayFilter } from "../../src/client/connection/replay-filter.ts";
import { REPLAY_FILTER_IDS_MAX } from "../../src/client/timings.ts";

test("a message is taken once", () => {
  const seen = new ReplayFilter();
  expect(seen.accept("a", 1)).toBe(true);
  expect(seen.accept("b", 1)).toBe(true);
  expect(seen.accept("a", 1)).toBe(false);
  expect(seen.accept("a", 2)).toBe(false);
});

test("a message whose ID had to be forgotten is still not taken again", () => {
  const seen = new ReplayFilter();
  for (let n = 0; n <= REPLAY_FILTER_IDS_MAX; n++) expect(seen.accept(`id ${n}`, n)).toBe(true);
  expect(seen.accept("id 0", 0)).toBe(false);
  expect(seen.accept("never seen, but older than what is remembered", 0)).toBe(false);
  expect(seen.accept("never seen", 1)).toBe(true);
});
