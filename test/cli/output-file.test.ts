import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OutputFile } from "../../src/cli/output-file.ts";

/** A file on a disk with some room. */
function fileOn(disk: { room: number }) {
  let text = "";
  const file = new OutputFile((bytes, from) => {
    if (disk.room === 0) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    const some = Math.min(disk.room, bytes.length - from, 7);
    disk.room -= some;
    text += Buffer.from(bytes.subarray(from, from + some)).toString("latin1");
    return some;
  });
  return { file, lines: () => text.split("\n").filter((line) => line !== "") };
}

test("SV61 on a disk that fills up and has room again, each line is whole, a part of one that was lost, or lost", () => {
  const rooms = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(rooms, (given) => {
      const disk = { room: 0 };
      const { file, lines } = fileOn(disk);
      const written = given.map((room, n) => {
        disk.room = room;
        file.write(`line ${n} of the log\n`);
        return `line ${n} of the log`;
      });
      disk.room = 1_000;
      file.write("the end\n");
      const found = lines();
      expect(found.at(-1)).toBe("the end");
      let from = 0;
      for (const line of found.slice(0, -1)) {
        const at = written.findIndex((whole, n) => n >= from && whole.startsWith(line));
        expect(at).toBeGreaterThanOrEqual(from);
        from = at + 1;
      }
      const fits = given.every((room) => room >= 25);
      if (fits) expect(found).toEqual([...written, "the end"]);
    }),
  );
});
