import { expect, test } from "vitest";
import { ReplayFilter } from "../../src/client/connection/replay-filter.ts";
import { REPLAY_FILTER_IDS_MAX } from "../../src/client/timings.ts";

test("the replay filter accepts each message once", () => {
  const filter = new ReplayFilter();
  expect(filter.accept("a", 1)).toBe(true);
  expect(filter.accept("b", 1)).toBe(true);
  expect(filter.accept("a", 1)).toBe(false);
  expect(filter.accept("a", 2)).toBe(false);
});

test("the replay filter refuses a replay also after it had to forget the message's ID", () => {
  const filter = new ReplayFilter();
  for (let n = 0; n <= REPLAY_FILTER_IDS_MAX; n++) expect(filter.accept(`id ${n}`, n)).toBe(true);
  expect(filter.accept("id 0", 0)).toBe(false);
  expect(filter.accept("a new ID, but as old as a forgotten one", 0)).toBe(false);
  expect(filter.accept("a new ID", 1)).toBe(true);
});
