import { afterEach, describe, expect, test } from "vitest";
import { diskRoom, shortageOf, type DiskRoom } from "../../../server/disk/disk-room.ts";
import { serveDisk } from "../../../server/disk/disk-service.ts";
import { DiskWatch } from "../../../server/disk/disk-watch.ts";
import { collectedLog } from "../../collected-log.ts";

const MB = 1_000_000;
const PLENTY: DiskRoom = { freeBytes: 500 * MB, freeFiles: 10_000 };

describe("the room of a disk", () => {
  test.each([
    [PLENTY, null],
    [{ freeBytes: 16 * MB, freeFiles: 100 }, null],
    [{ freeBytes: 16 * MB - 1, freeFiles: 100 }, "15 MB are free, a mesh needs 16"],
    [{ freeBytes: 0, freeFiles: 0 }, "0 MB are free, a mesh needs 16"],
    [{ ...PLENTY, freeFiles: 99 }, "99 more files can be made on it, a mesh needs 100"],
    [{ ...PLENTY, freeFiles: null }, null],
  ])("SV23 of %j lacks %j", (room, shortage) => {
    expect(shortageOf(room)).toBe(shortage);
  });

  test("SV23 is what the system says of the folder", () => {
    expect(diskRoom(import.meta.dirname).freeBytes).toBeGreaterThan(0);
  });
});

const FULL = "Error: database or disk is full: SQLITE_FULL";
const SHM = "disk I/O error: SQLITE_IOERR (extended: SQLITE_IOERR_SHMSIZE)";
const CANT_OPEN = "unable to open database file: SQLITE_CANTOPEN";

describe("the watch over a disk", () => {
  const watches: DiskWatch[] = [];
  afterEach(() => watches.splice(0).forEach((each) => each.stop()));

  function watched() {
    const { log, lines } = collectedLog();
    const world = { room: PLENTY as DiskRoom | Error, now: 0 };
    const watch = new DiskWatch({
      folder: "/data/mesh",
      log,
      now: () => world.now,
      measure: () => {
        if (world.room instanceof Error) throw world.room;
        return world.room;
      },
    });
    watches.push(watch);
    return { watch, world, lines };
  }

  test("SV24 says once that the disk is full, and once that it has room again, however often it is looked at", () => {
    const { watch, world, lines } = watched();
    for (let round = 0; round < 2; round++) {
      world.room = { ...PLENTY, freeBytes: 3 * MB };
      for (let n = 0; n < 5; n++) expect(watch.check()).toBe("3 MB are free, a mesh needs 16");
      world.room = PLENTY;
      for (let n = 0; n < 5; n++) expect(watch.check()).toBeNull();
    }
    expect(lines.map(({ level }) => level)).toEqual(["error", "info", "error", "info"]);
    expect(lines[0]?.message).toMatch(/^the disk of \/data\/mesh is full: 3 MB are free/);
    expect(lines[1]?.message).toBe("the disk of /data/mesh has room again: 500 MB are free");
  });

  test("SV24 leaves out what workerd writes for each request on a full disk, and nothing else", () => {
    const { watch, world, lines } = watched();
    world.room = { ...PLENTY, freeBytes: 0 };
    for (let n = 0; n < 5; n++) expect(watch.admits(FULL)).toBe(false);
    expect(watch.admits("another error")).toBe(true);
    expect(lines).toHaveLength(1);
  });

  test("SV24 passes on one error a minute of a database that is full on a disk that has room", () => {
    const { watch, world, lines } = watched();
    const admitted = [0, 1_000, 59_999, 60_000, 61_000].filter((now) => {
      world.now = now;
      return watch.admits(FULL);
    });
    expect(admitted).toEqual([0, 60_000]);
    expect(lines).toEqual([]);
  });

  test("SV24 leaves out what workerd reports late of a disk that was full, for a minute", () => {
    const { watch, world, lines } = watched();
    world.room = { ...PLENTY, freeBytes: 0 };
    for (const text of [SHM, CANT_OPEN]) expect(watch.admits(text)).toBe(false);
    world.room = PLENTY;
    world.now = 59_999;
    for (const text of [FULL, SHM, CANT_OPEN]) expect(watch.admits(text)).toBe(false);
    world.now = 60_000;
    for (const text of [SHM, CANT_OPEN]) expect(watch.admits(text)).toBe(true);
    expect(lines).toHaveLength(2);
  });

  test("SV23 a folder that cannot be measured does not count as a full disk", () => {
    const { watch, world, lines } = watched();
    world.room = new Error("ENOENT");
    expect(watch.check()).toBeNull();
    expect(lines).toEqual([]);
  });
});

test("SV23 the Worker asks for what the disk lacks, each time anew", async () => {
  let shortage: string | null = null;
  const service = await serveDisk(() => shortage);
  const asked = async () => (await fetch(service.url)).json();
  expect(await asked()).toEqual({ shortage: null });
  shortage = "0 MB are free";
  expect(await asked()).toEqual({ shortage: "0 MB are free" });
  service.stop();
});
