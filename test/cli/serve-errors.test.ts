import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { muster } from "./command-run.ts";

// Each command line of this process listens to signals.
process.setMaxListeners(0);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-serve-errors-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

/** A start that fails for its settings, and one that fails for what lies in its folder. */
const FAILS: readonly (readonly [name: string, args: () => readonly string[], code: number])[] = [
  ["a setting", () => ["--port", "x", "--dir", dir], 2],
  ["the folder", () => ["--port", "0", "--dir", dir], 1],
];
/** How the form of the log is given. */
const FORMS: readonly (readonly [name: string, args: () => Promise<readonly string[]>])[] = [
  ["--log json", () => Promise.resolve(["--log", "json"])],
  ["--json", () => Promise.resolve(["--json"])],
  [
    "MUSTER_LOG",
    () => {
      vi.stubEnv("MUSTER_LOG", "json");
      return Promise.resolve([]);
    },
  ],
];

describe.each(FAILS)("SV48 muster serve that fails for %s", (_, args, code) => {
  beforeEach(() => writeFile(join(dir, "version.json"), "{"));

  test.each(FORMS)("with %s writes one line of JSON", async (_name, form) => {
    const ended = await muster("serve", ...args(), ...(await form()));
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toMatch(/^\{[^\n]*\}\n$/);
    expect(JSON.parse(ended.err)).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: "error",
      message: expect.any(String),
      exit_code: code,
    });
  });

  test("else one line of text", async () => {
    const ended = await muster("serve", ...args());
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err).toMatch(/^muster: [^\n]+\n$/);
  });
});

test("SV48 the form of muster.toml counts for what fails after it was read", async () => {
  await writeFile(join(dir, "version.json"), "{");
  const config = join(dir, "muster.toml");
  await writeFile(config, 'log = "json"\nport = 0\n');
  const ended = await muster("serve", "--config", config, "--dir", dir);
  expect(JSON.parse(ended.err)).toMatchObject({ level: "error", exit_code: 1 });
});

test("CL65 the fault of one entry of a list is a sentence", async () => {
  const { code, err } = await muster("serve", "--cors-origins", "http://a/b", "--dir", dir);
  expect(code).toBe(2);
  expect(err).toContain('not "http://a/b" (entry 1 is not an origin as browsers write it');
});
