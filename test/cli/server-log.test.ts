import { afterEach, expect, test, vi } from "vitest";
import { serverLog } from "../../src/cli/server-log.ts";

afterEach(() => void vi.restoreAllMocks());

/** What a log in this form writes for each message. */
function logged(form: "text" | "json", ...messages: readonly string[]): string[] {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  const log = serverLog(form, () => 0);
  for (const message of messages) log("warn", message, { url: "http://x:1", reason: 'a "b"' });
  return text.split("\n").slice(0, -1);
}

const HOSTILE = [
  "two\nlines",
  "\u001b[31mred",
  "fetch https://user:pass@host.example/path?proof=5ecret failed",
  "token mst_0123456789abcdef0123456789abcdef",
];

test("SV17 a message is one line, whatever it contains, and shows no secret", () => {
  const lines = logged("json", ...HOSTILE);
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    "two\nlines",
    "\u001b[31mred",
    "fetch https://host.example/path failed",
    "token mst_…",
  ]);
  const texts = logged("text", ...HOSTILE);
  expect(texts).toHaveLength(HOSTILE.length);
  for (const line of texts) {
    expect(line).toMatch(/^1970-01-01T00:00:00\.000Z warn .* url=http:\/\/x:1 reason="a \\"b\\""$/);
    for (const hidden of ["5ecret", "pass@", "0123456789abcdef", "\u001b"])
      expect(line).not.toContain(hidden);
  }
});
