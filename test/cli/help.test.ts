import { afterEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";

afterEach(() => void vi.restoreAllMocks());

/** The output of `muster help` with these arguments. */
async function helpText(...args: string[]): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  expect(await COMMANDS["help"]?.run(args)).toBe(0);
  vi.restoreAllMocks();
  return text;
}

describe("help", () => {
  test("lists every command with its summary", async () => {
    const text = await helpText();
    for (const [name, { summary }] of Object.entries(COMMANDS))
      expect(text).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 20)}`, "m"));
  });

  test.each(Object.entries(COMMANDS))("shows usage and options of %s", async (name, command) => {
    const text = await helpText(name);
    expect(text).toContain(`usage: npx muster ${name}`);
    for (const [option, meaning] of command.details ?? []) {
      expect(text).toContain(option);
      expect(text).toContain(meaning);
    }
  });

  test("fits a terminal of 120 columns", async () => {
    const pages = [await helpText()];
    for (const name of Object.keys(COMMANDS)) pages.push(await helpText(name));
    const long = pages.flatMap((page) => page.split("\n")).filter((line) => line.length > 120);
    expect(long).toEqual([]);
  });
});
