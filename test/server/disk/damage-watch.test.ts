import { expect, test } from "vitest";
import { DamageWatch } from "../../../server/disk/damage-watch.ts";
import { collectedLog } from "../../collected-log.ts";

const STACK = "e = SQLite failed: database disk image is malformed: SQLITE_CORRUPT\nstack: 1 2 3";

test("SV46 of a database that is damaged the log of a running mesh has one line a minute, and no stack", () => {
  const { log, lines } = collectedLog();
  let now = 0;
  const watch = new DamageWatch({ folder: "/srv/mesh", log, now: () => now });
  expect(watch.admits("hello")).toBe(true);
  // While it starts, the start itself says so.
  expect([watch.code, watch.admits(STACK), watch.code]).toEqual([null, false, "SQLITE_CORRUPT"]);
  expect(watch.admits("the coordinator did not answer: internal error; reference = x")).toBe(false);
  expect(lines).toEqual([]);
  watch.started();
  for (now = 0; now < 60_000; now += 10_000) expect(watch.admits(STACK)).toBe(false);
  expect(lines).toHaveLength(1);
  now = 60_000;
  expect(watch.admits("file is not a database: SQLITE_NOTADB")).toBe(false);
  expect(lines).toMatchObject([
    {
      event: "database.damaged",
      level: "error",
      fields: { folder: "/srv/mesh", reason: "SQLITE_CORRUPT" },
    },
    { event: "database.damaged", fields: { reason: "SQLITE_NOTADB" } },
  ]);
  expect(watch.admits("hello")).toBe(true);
});
