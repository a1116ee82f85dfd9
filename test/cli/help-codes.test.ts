import { describe, expect, test } from "vitest";
import { ERROR_CODES, statusOf } from "../../src/protocol/errors.ts";
import { troubleshootingEntries } from "../../src/protocol/troubleshooting.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { muster } from "./command-run.ts";

describe("CL35 the help finds", () => {
  test("an entry by its code in any spelling", async () => {
    const plain = await muster("help", "invalid_request");
    const upper = await muster("help", "INVALID_REQUEST");
    const spaced = await muster("help", "Invalid Request");
    expect(plain).toMatchObject({ code: 0, err: "" });
    expect(upper).toEqual(plain);
    expect(spaced).toEqual(plain);
  });

  test.each([...new Set(ERROR_CODES.map(statusOf))])(
    "the codes of the HTTP status %i",
    async (status) => {
      const { code, out } = await muster("help", String(status));
      expect(code).toBe(0);
      for (const each of ERROR_CODES.filter((known) => statusOf(known) === status))
        expect(out).toContain(each);
    },
  );

  test("every entry, by a part of its code and by a misspelling of it", async () => {
    for (const { id, title } of troubleshootingEntries()) {
      if (Object.hasOwn(COMMANDS, id) || id.length < 5 || id.length > 60) continue;
      for (const word of [
        id.slice(1).replace(/^-+/, ""),
        ...(/^[a-z_]+$/.test(id) ? [`${id}x`] : []),
      ]) {
        if (Object.hasOwn(COMMANDS, word)) continue;
        const { code, out } = await muster("help", word);
        expect([word, code]).toEqual([word, 0]);
        expect([id, title].some((each) => out.includes(each))).toBe(true);
      }
    }
  });

  test("the entries that mention a word", async () => {
    const entries = troubleshootingEntries();
    const words = entries.flatMap(({ text }) => text.match(/\b[a-z]{9,}\b/g) ?? []);
    const word = words.find((each) => entries.every(({ id }) => !id.includes(each))) ?? "";
    const { code, out } = await muster("help", word);
    expect(code).toBe(0);
    expect(out).toContain(`entries that mention "${word}":`);
  });

  test("all codes", async () => {
    const { out } = await muster("help", "codes");
    for (const { id } of troubleshootingEntries()) expect(out).toContain(id);
  });

  test("an action, with the options that it shares with others", async () => {
    const { out } = await muster("help", "peers", "drain");
    expect(out).toContain("usage: npx muster peers drain");
    for (const option of ["--timeout", "--capability", "--dry-run"]) expect(out).toContain(option);
    expect(await muster("peers", "drain", "--help")).toMatchObject({ code: 0, out });
  });

  test.each([
    [["nonsense"], 'no command, action or code is called "nonsense"'],
    [["tokn"], 'no command, action or code is called "tokn", did you mean "token"?'],
    [["peers", "drian"], 'peers has no action "drian", did you mean "drain"?'],
  ])("nothing for %j, and says what there is", async (words, fault) => {
    const { code, err, out } = await muster("help", ...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(fault);
    expect(err).toContain("npx muster help");
  });

  test("an action is suggested for a command that does not exist", async () => {
    expect((await muster("forget")).err).toContain('did you mean "peers forget"?');
    expect((await muster("cordon")).err).toContain('did you mean "peers cordon"?');
  });

  test.each([["--version"], ["-V"], ["version"]])(
    "CL35 muster %s prints the version",
    async (word) => {
      const { code, out } = await muster(word);
      expect([code, out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
    },
  );
});
