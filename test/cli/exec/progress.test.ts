import { describe, expect, test } from "vitest";
import { LastBytes } from "../../../src/cli/exec/last-bytes.ts";

import { readProgressLine } from "../../../src/cli/exec/progress-line.ts";
import { MUSTER_LINE_BYTES_MAX, StderrFilter } from "../../../src/cli/exec/stderr-filter.ts";
import { seededNumbers } from "../../random.ts";

/** What the filter makes of a text that comes in chunks of these sizes. */
function filtered(text: string | Buffer, chunkSize: () => number = () => 65_536) {
  const reported: unknown[] = [];
  const malformed: string[] = [];
  const final: (string | undefined)[] = [];
  const filter = new StderrFilter({
    progress: ({ fraction, message }) => void reported.push([fraction, message]),
    malformed: (line) => void malformed.push(line),
    noRetry: (message) => void final.push(message),
  });
  const bytes = Buffer.from(text);
  const kept: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = chunkSize();
    kept.push(...filter.push(bytes.subarray(at, at + size)));
    at += size;
  }
  kept.push(filter.end());
  return { reported, malformed, final, kept: Buffer.concat(kept).toString("latin1") };
}

describe("CL52 a progress line", () => {
  test.each([
    ["MUSTER_PROGRESS 0.25", [0.25, undefined]],
    ["MUSTER_PROGRESS 0.25 page 3 of 12", [0.25, "page 3 of 12"]],
    ["MUSTER_PROGRESS\t1\tdone\r", [1, "done"]],
    ["MUSTER_PROGRESS 0", [0, undefined]],
    ["MUSTER_PROGRESS 1.0", [1, undefined]],
    ["MUSTER_PROGRESS 1.", [1, undefined]],
    ["MUSTER_PROGRESS .5", [0.5, undefined]],
    ["MUSTER_PROGRESS 1e-05", [0.000_01, undefined]],
    ["MUSTER_PROGRESS 0.30000000000000004", [0.300_000_000_000_000_04, undefined]],
    ["MUSTER_PROGRESS 42% half", [0.42, "half"]],
    ["MUSTER_PROGRESS 100%", [1, undefined]],
    ["MUSTER_PROGRESS - waiting for the disk", [undefined, "waiting for the disk"]],
    ["MUSTER_PROGRESS 0.5   \u001b[31mred  ", [0.5, "\u001b[31mred"]],
  ])("%j reports %j", (line, progress) => {
    const read = readProgressLine(line);
    expect([read?.fraction, read?.message]).toEqual(progress);
  });

  test.each([
    "MUSTER_PROGRESS",
    "MUSTER_PROGRESS ",
    "MUSTER_PROGRESS -",
    "MUSTER_PROGRESS half",
    "MUSTER_PROGRESS 1.5",
    "MUSTER_PROGRESS 101%",
    "MUSTER_PROGRESS -1",
    "MUSTER_PROGRESS 0,5",
    "MUSTER_PROGRESS NaN",
    "MUSTER_PROGRESS Infinity",
    "MUSTER_PROGRESS 0x1",
    "MUSTER_PROGRESS 1/2",
    "MUSTER_PROGRESS %",
    "MUSTER_PROGRESS .",
    `MUSTER_PROGRESS 0.5 ${"x".repeat(MUSTER_LINE_BYTES_MAX)}`,
  ])("%.40j is malformed, and is no part of the error text", (line) => {
    const { reported, malformed, kept } = filtered(`before\n${line}\nafter\n`);
    expect(reported).toEqual([]);
    expect(malformed).toEqual([line.trimEnd().slice(0, 80)]);
    expect(kept).toBe("before\nafter\n");
  });

  test.each(["muster_progress 0.5", " MUSTER_PROGRESS 0.5", "MUSTER_PROGRESSION 1", "MUSTER_PROG"])(
    "%j is a line like any other",
    (line) => {
      expect(filtered(`${line}\n`)).toMatchObject({
        reported: [],
        malformed: [],
        kept: `${line}\n`,
      });
    },
  );
});

describe("CL52 the stream of a program", () => {
  test("is split the same in chunks of any size, and what is no progress stays byte for byte", () => {
    const random = seededNumbers(52);
    const pieces = [
      "MUSTER_PROGRESS 0.5 half\n",
      "MUSTER_PROGRESS 50%\r\n",
      "MUSTER_PROGRESS nonsense\n",
      "a line\n",
      "\n",
      "MUSTER_PRO",
      "MUSTER_PROGRESS",
      "é\u0000\u00ff",
      "no end of line",
      `MUSTER_PROGRESS 1 ${"y".repeat(5_000)}\n`,
      "x".repeat(5_000),
      "\n",
    ];
    for (let round = 0; round < 25; round++) {
      const text = Array.from(
        { length: 12 },
        () => pieces[Math.floor(random() * pieces.length)],
      ).join("");
      const whole = filtered(text);
      for (const max of [1, 3, 20, 6_000])
        expect(filtered(text, () => 1 + Math.floor(random() * max))).toEqual(whole);
      const lines = Buffer.from(text).toString("latin1").split("\n");
      const other = lines.filter((line) => !/^MUSTER_PROGRESS(?:[ \t\r]|$)/.test(line));
      expect(whole.kept.replaceAll("\n", "")).toBe(other.join(""));
    }
  });

  test("that never ends its line takes no memory", () => {
    const filter = new StderrFilter({
      progress: () => {},
      malformed: () => {},
      noRetry: () => {},
    });
    const chunk = Buffer.from("MUSTER_PROGRESS 0.5 ".padEnd(8_192, "z"));
    let kept = 0;
    for (let n = 0; n < 1_000; n++) for (const part of filter.push(chunk)) kept += part.length;
    expect([kept, filter.end().length]).toEqual([0, 0]);
  });
});

describe("CL68 a line that says that another attempt would fail, too", () => {
  test.each([
    ["MUSTER_NO_RETRY", undefined],
    ["MUSTER_NO_RETRY \r", undefined],
    ["MUSTER_NO_RETRY the image is no image", "the image is no image"],
    ["MUSTER_NO_RETRY\tthe image\r", "the image"],
  ])("%j has the message %j", (line, message) => {
    for (const end of ["", "\n"]) {
      const text = `before\n${line}${end}`;
      for (const size of [1, 7, 1_000])
        expect(filtered(text, () => size)).toMatchObject({
          final: [message],
          malformed: [],
          reported: [],
          kept: "before\n",
        });
    }
  });

  test.each([
    "MUSTER_NO_RETRYING",
    "MUSTER_NO_RETR",
    " MUSTER_NO_RETRY",
    "MUSTER_NO",
    "muster_no_retry",
  ])("%j is an ordinary line", (line) => {
    expect(filtered(`${line}\n`)).toMatchObject({ final: [], kept: `${line}\n` });
  });

  test("counts also if it is too long, with the beginning of its message", () => {
    const { final, kept } = filtered(`MUSTER_NO_RETRY ${"x".repeat(10_000)}\nrest`, () => 999);
    expect(final).toEqual(["x".repeat(MUSTER_LINE_BYTES_MAX - "MUSTER_NO_RETRY ".length)]);
    expect(kept).toBe("rest");
  });
});

test("CL51 the last bytes of a stream are kept, whatever its chunks are", () => {
  const random = seededNumbers(51);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: Math.floor(random() * 400) }, (_, n) => String(n % 10));
    const last = new LastBytes(100);
    for (let at = 0; at < text.length;) {
      const size = 1 + Math.floor(random() * 60);
      last.push(Buffer.from(text.slice(at, at + size).join("")));
      at += size;
    }
    expect(last.bytes().toString()).toBe(text.slice(-100).join(""));
    expect(last.hasOverflowed).toBe(text.length > 100);
  }
});
