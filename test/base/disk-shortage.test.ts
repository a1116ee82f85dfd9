import { describe, expect, test } from "vitest";
import { isDamagedError } from "../../src/base/damaged-storage.ts";
import { lackedRoom, type DiskService } from "../../src/base/disk-shortage.ts";

const diskThatSays = (shortage: unknown): DiskService => ({
  fetch: () => Promise.resolve(Response.json({ shortage })),
});
const FULL = diskThatSays("0 MB are free, a mesh needs 16");
const ROOM = diskThatSays(null);
const BROKEN: DiskService = { fetch: () => Promise.reject(new Error("gone")) };
const UNEXPLAINED = new Error("internal error; reference = rqaqd2hk9monb3m8903esolb");

describe("SV45 a call that failed for want of room", () => {
  test.each([
    ["SQLite says so", new Error("database or disk is full: SQLITE_FULL"), undefined, true],
    ["also where the disk has room", new Error("SQLITE_FULL"), ROOM, true],
    ["the index of the log has no room", new Error("SQLITE_IOERR_SHMSIZE"), ROOM, true],
    ["a file can't be made, and the disk is full", new Error("SQLITE_CANTOPEN"), FULL, true],
    ["a file can't be made, and the disk has room", new Error("SQLITE_CANTOPEN"), ROOM, false],
    ["workerd says nothing, and the disk is full", UNEXPLAINED, FULL, true],
    ["workerd says nothing, and the disk has room", UNEXPLAINED, ROOM, false],
    ["workerd says nothing, and the host does not answer", UNEXPLAINED, BROKEN, false],
    ["workerd says nothing, on Cloudflare", UNEXPLAINED, undefined, false],
    ["no answer in time", new Error("no answer within 20000 ms"), FULL, false],
    ["an error of the code", new TypeError("x is not a function"), FULL, false],
    ["no error at all", "internal error; reference = x", FULL, false],
  ])("%s", async (_, thrown, disk, expected) => {
    expect(await lackedRoom(thrown, disk)).toBe(expected);
  });
});

test.each([
  ["database disk image is malformed: SQLITE_CORRUPT", true],
  ["file is not a database: SQLITE_NOTADB", true],
  ["file is not a database", true],
  ["database or disk is full: SQLITE_FULL", false],
  ["database is locked", false],
])("SV46 SQLite's errors about a damaged file: %s", (message, expected) => {
  expect(isDamagedError(new Error(message))).toBe(expected);
});
