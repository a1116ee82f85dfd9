import { afterEach, expect, test, vi } from "vitest";
import { serverLog } from "../../src/cli/server-log.ts";

afterEach(() => void vi.restoreAllMocks());

/** What a log in this form writes for each text. */
function logged(form: "text" | "json", ...texts: readonly string[]): string[] {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const log = serverLog(form, () => 0, undefined);
  for (const detail of texts) log.write("workerd.output", { detail }, "warn");
  log.write("mesh.stopping", { reason: 'a "b"' });
  log.write("workerd.output", { detail: "below the level" }, "debug");
  return text.split("\n").slice(0, -1);
}

const HOSTILE = [
  "two\nlines",
  "\u001b[31mred",
  "fetch https://user:pass@host.example/path?proof=5ecret failed",
  "token mst_0123456789abcdef0123456789abcdef",
];

test("SV17 TR21 a line is one line, whatever it contains, and shows no secret", () => {
  const lines = logged("json", ...HOSTILE).map((line) => JSON.parse(line) as unknown);
  const texts = [
    "two\nlines",
    "\u001b[31mred",
    "fetch https://host.example/path failed",
    "token mst_…",
  ];
  const time = "1970-01-01T00:00:00.000Z";
  const output = { time, level: "warn", event: "workerd.output" };
  expect(lines.slice(0, -1)).toEqual(
    texts.map((text) => ({ ...output, message: text, detail: text })),
  );
  const shown = logged("text", ...HOSTILE);
  expect(shown).toHaveLength(HOSTILE.length + 1);
  expect(shown.at(-1)).toBe(
    `${time} info mesh.stopping the mesh stops: its peers are told to come back reason="a \\"b\\""`,
  );
  for (const line of shown) {
    expect(line).toMatch(/^1970-01-01T00:00:00\.000Z (?:warn|info) [a-z.]+ ./);
    for (const hidden of ["5ecret", "pass@", "0123456789abcdef", "\u001b"])
      expect(line).not.toContain(hidden);
  }
});
