import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { array, constantFrom, jsonValue, oneof, sample, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { displayWidth, truncate } from "../../src/cli/display-width.ts";
import { escapeText } from "../../src/base/escape-text.ts";
import { eventLine } from "../../src/cli/event-line.ts";
import { describeError, Failure } from "../../src/cli/failure.ts";
import {
  line,
  note,
  print,
  printJson,
  printJsonLine,
  rewrite,
  styled,
} from "../../src/cli/output.ts";
import { table } from "../../src/cli/table.ts";
import { ATTACKS, HOSTILE_CHARACTERS, hostileIn, written } from "./terminal.ts";

/** Text as an attacker would write it: attacks and hostile characters between any other text. */
const hostileText = array(
  oneof(
    constantFrom(...ATTACKS),
    constantFrom(...HOSTILE_CHARACTERS),
    string({ unit: "binary", maxLength: 8 }),
    string({ unit: "grapheme", maxLength: 8 }),
  ),
  { minLength: 1, maxLength: 8 },
).map((pieces) => pieces.join(""));
const TEXTS = sample(hostileText, 10_000);

/** Every way by which text reaches the terminal, and how many lines it makes of one text. */
const WAYS: Readonly<Record<string, readonly [lines: number, write: (text: string) => void]>> = {
  print: [1, (text) => print(text)],
  note: [1, (text) => note(text)],
  "several lines": [2, (text) => print([text, text])],
  "a colored part": [1, (text) => print(line(styled("red", text), text))],
  "a cell and a heading of a table": [2, (text) => print(table([text, "b"], [[text, 7]]))],
  JSON: [6, (text) => printJson({ [text]: [text, 7] })],
  "JSON on one line": [1, (text) => printJsonLine({ [text]: text })],
  "an event": [1, (text) => print(eventLine({ type: "rejected", code: text, reason: text }))],
  "an error, its hint and its details": [2, (text) => report(new Failure(text, text, [text]))],
  "an unexpected error": [1, (text) => report(withoutFrames(new RangeError(text)))],
  "something thrown that is no error": [1, (text) => report(text)],
};

function report(error: unknown): void {
  const { text, details } = describeError(error);
  note([text, ...details]);
}

/** The error with a stack that has only its message. */
const withoutFrames = (error: Error): Error =>
  Object.assign(error, { stack: `${error.name}: ${error.message}` });

/** The first text of which the output does not meet the condition. */
const failing = (write: (text: string) => void, isFine: (shown: string, text: string) => boolean) =>
  TEXTS.find(
    (text) =>
      !isFine(
        written(() => write(text)),
        text,
      ),
  );

describe.each(Object.entries(WAYS))("%s", (_way, [lines, write]) => {
  test("CL1 takes no control character of a text to the terminal, and shows the rest", () => {
    // A space, because the query of a URL at the end of the text, which errors leave out, would include the mark.
    const begun = (text: string): void => write(`begin${text} end`);
    expect(
      failing(begun, (shown) => hostileIn(shown).length === 0 && /begin.*end/.test(shown)),
    ).toBeUndefined();
  });

  test("CL2 begins no line with a text", () => {
    expect(failing(write, (shown) => shown.split("\n").length === lines + 1)).toBeUndefined();
  });
});

test("CL1 the progress line takes no control character of a text to the terminal", () => {
  expect(
    failing(
      rewrite,
      (shown) =>
        shown.startsWith("\r\u001b[K") &&
        !shown.includes("\n") &&
        hostileIn(shown.slice(4)).length === 0,
    ),
  ).toBeUndefined();
});

test("CL1 an unexpected error is told with the frames of its stack", () => {
  const { text, details } = describeError(new RangeError("no\n    at forged (forged.ts:1:1)"));
  expect(text).toBe("unexpected error: RangeError: no\n    at forged (forged.ts:1:1)");
  expect(details[0]).toContain("output.test.ts");
});

test("CL1 what Node itself would print, warnings and uncaught errors, is escaped, too", () => {
  const program = `
    import { note, takeOverOutput } from "${new URL("../../src/cli/output.ts", import.meta.url).href}";
    takeOverOutput((error) => {
      note("uncaught: " + error.message);
      process.exit(3);
    });
    process.emitWarning("warned \\u001b[31m\\nforged");
    setTimeout(() => { throw new Error("thrown \\u009b31m\\nforged"); }, 1);`;
  const args = ["--input-type=module", "--eval", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stdout]).toEqual([3, ""]);
  expect(stderr).toContain("Warning: warned \\u001b[31m\\nforged\n");
  expect(stderr).toContain("uncaught: thrown \\u009b31m\\nforged\n");
});

test("CL1 shows what it escapes as JSON does", () => {
  expect(escapeText("a\u001b[31mb\u009bc\u202ed\ne\tf\ud800\u{e0041}")).toBe(
    "a\\u001b[31mb\\u009bc\\u202ed\\ne\\tf\\ud800\\udb40\\udc41",
  );
});

test.each([
  "Zürich",
  "東京",
  "한국어",
  "العربية",
  "می‌خواهم",
  "हिन्दी",
  "👩‍👩‍👧",
  "❤️",
  "naïve 5 €",
  "C:\\new",
])("CL1 leaves the readable text %s as it is", (text) => {
  expect(escapeText(text)).toBe(text);
});

test.each([printJson, printJsonLine])("CL3 JSON output parses to the same value", (write) => {
  const json = sample(jsonValue({ stringUnit: "binary" }), TEXTS.length);
  for (const [n, text] of TEXTS.entries()) {
    const value = { [text]: text, json: json[n] };
    const parsed: unknown = JSON.parse(written(() => write(value)));
    expect(JSON.stringify(parsed)).toBe(JSON.stringify(value));
  }
});

test("CL4 columns of a table are aligned after escaping, also with wide characters", () => {
  for (let at = 0; at < TEXTS.length; at += 5) {
    const rows = TEXTS.slice(at, at + 5).map((text) => [`|${text}|`, "^"]);
    const [, ...lines] = written(() => print(table(["name", "end"], rows)))
      .trimEnd()
      .split("\n");
    expect([rows, new Set(lines.map(displayWidth)).size]).toEqual([rows, 1]);
  }
});

test.each([
  ["abc", 3],
  ["東京", 4],
  ["한국어", 6],
  ["e\u0301", 1],
  ["👩‍👩‍👧", 2],
  ["🇨🇭", 2],
  ["❤️", 2],
  ["", 0],
])("CL4 %j fills %i columns", (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

test("CL4 a text is cut to columns after escaping, between characters", () => {
  expect(truncate("東京都", 4)).toBe("東…");
  expect(truncate("\u001b\u001b\u001b", 8)).toBe("\\u001b\\…");
  expect(truncate("🙂🙂", 4)).toBe("🙂🙂");
});

describe("the only module that writes to the terminal is output.ts", () => {
  const folder = join(import.meta.dirname, "../../src/cli");
  const SINKS = [
    /process\s*\.\s*(?:stdout|stderr)/,
    /\bconsole\b/,
    /"inherit"/,
    /createInterface/,
    /\bprocess\s*\[/,
    /\{[^}]*\b(?:stdout|stderr)\b[^}]*\}\s*=\s*process\b/,
    /from "(?:node:)?(?:tty|readline|process|console)/,
    /writeSync\b|_rawDebug|emitWarning|\/dev\/(?:tty|stdout|stderr)/,
  ];
  const files = globSync("**/*.ts", { cwd: folder }).filter((file) => file !== "output.ts");

  test.each(files)("CL5 %s has no other way to the terminal", (file) => {
    const code = readFileSync(join(folder, file), "utf8");
    expect(SINKS.filter((sink) => sink.test(code))).toEqual([]);
  });

  test("CL5 the check finds such ways in output.ts", () => {
    const output = readFileSync(join(folder, "output.ts"), "utf8");
    expect(SINKS.filter((sink) => sink.test(output)).length).toBeGreaterThan(1);
  });
});
