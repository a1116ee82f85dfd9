import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { describeError } from "../../src/cli/failure.ts";
import { targetOf } from "../../src/cli/target.ts";
import { readMapping } from "../../src/cli/webhooks/mapping-file.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-effects-"));
  await mkdir(join(dir, "mesh"));
  const mesh = { url: "http://127.0.0.1:8787", mesh_key: "00".repeat(32) };
  await writeFile(join(dir, "mesh", "mesh.json"), JSON.stringify(mesh));
});
afterAll(() => rm(dir, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** The error of a command line. Nothing answers at the URL, so a request would fail with exit code 1. */
async function errorOf(words: string) {
  const [name = "", ...argv] = words
    .split(" ")
    .map((word) => word.replace("DIR", dir).replace(/^ID$/, TASK));
  try {
    await COMMANDS[name]?.run(argv);
  } catch (error) {
    return describeError(error);
  }
  throw new Error("no error");
}

const TASK = "00000000-0000-4000-8000-000000000001";
const URL_OPTION = "--url http://127.0.0.1:1";
const LINK = `muster://127.0.0.1:1/#${"ab".repeat(32)}&join=mjk_${"0".repeat(32)}`;

describe("an option that would have no effect is refused with what to do", () => {
  test.each([
    ["task a --key-file k", "--key-file opens a sealed result; pass --result"],
    ["task a --wait 1 --key-file k", "--key-file opens a sealed result; pass --result"],
    ["task a --deadline 3", "--max-attempts and --deadline belong to --retry"],
    ["assign a --timeout 3", "--timeout says how long to wait; pass --wait"],
    ["assign a --concurrency-limit 3", "--concurrency-limit needs --concurrency-key"],
    ["tasks cancel ID --dry-run --yes", "--dry-run and --yes exclude each other"],
    ["tasks retry ID --dry-run --yes", "--dry-run and --yes exclude each other"],
    ["token set a", "nothing to change; pass a limit"],
    ["join --slots 2", "--slots has no effect on a peer that runs no tasks"],
    ["join --no-prefetch", "--no-prefetch has no effect on a peer that runs no tasks"],
    ["join --drain-timeout 9", "--drain-timeout has no effect on a peer that runs no tasks"],
    ["join --token t", "unknown option --token"],
    ["join --token-file t", "unknown option --token-file"],
    ["rotate --token t", "unknown option --token"],
    ["join http://127.0.0.1:2", "the mesh is given twice, as an argument and by --url"],
    ["rotate http://127.0.0.1:2", "the mesh is given twice, as an argument and by --url"],
    ["webhook test ci --delivery d --raw", "--raw and --header describe a sample of your own"],
    ["webhook test ci --delivery d --header a:b", "--raw and --header describe a sample"],
    ["webhook update ci --callback http://a --no-callback", "--callback and --no-callback exclude"],
    ["webhook update ci --mapping-file m --no-defaults", "--no-defaults has no effect"],
    ["webhook update ci --mapping-file m --no-requirements", "--no-requirements has no effect"],
    ["webhook update ci --mapping-file m --no-callback", "--no-callback has no effect"],
    ["webhook update ci --out x --kind a", "--out is for a secret that is made"],
    ["peers --dir DIR/mesh", "--dir has no effect: "],
    ["keygen --mesh --force", "--force does not apply to --mesh"],
  ])("CL22 `muster %s`: %s", async (words, says) => {
    const { text, exitCode } = await errorOf(
      words.startsWith("keygen") ? words : `${words} ${URL_OPTION}`,
    );
    expect(text).toContain(says);
    expect(text).toMatch(/; \S/);
    expect(exitCode).toBe(2);
  });

  test("CL22 a join key beside that of a link, and --out beside a secret of the environment", async () => {
    expect(await errorOf(`join ${LINK} --key mjk_${"1".repeat(32)}`)).toMatchObject({
      text: expect.stringContaining("the join key is given twice"),
      exitCode: 2,
    });
    vi.stubEnv("MUSTER_WEBHOOK_SECRET", "a secret of the sender");
    const create = "webhook create ci --scheme github --kind a --out DIR/s";
    expect(await errorOf(`${create} ${URL_OPTION}`)).toMatchObject({
      text: expect.stringContaining("MUSTER_WEBHOOK_SECRET gives one"),
      exitCode: 2,
    });
  });

  test("CL22 --dir selects its mesh, also where the environment names another one", async () => {
    vi.stubEnv("MUSTER_URL", "http://127.0.0.1:1");
    const found = await targetOf({ dir: join(dir, "mesh"), token: "t" });
    expect(found.url).toBe("http://127.0.0.1:8787");
    expect((await targetOf({ token: "t" })).url).toBe("http://127.0.0.1:1");
  });
});

describe("a mapping file", () => {
  const mapping = {
    kind: "build",
    payload: { anything: { at: "$.all" } },
    requirements: { capabilities: ["gpu"], peer_id: "ab".repeat(16), min_score: 0.5 },
    priority: 1,
    deadline_seconds: 60,
    max_attempts: 2,
    lease_seconds: 30,
    callback: { url: "https://example.com/" },
    defaults: { "$.all": { any: null } },
  };
  const faultOf = async (text: string): Promise<string | null> => {
    const file = join(dir, "mapping.json");
    await writeFile(file, text);
    return readMapping({ "mapping-file": file }).then(
      () => null,
      (error: unknown) => {
        const { text: says, exitCode } = describeError(error);
        expect([exitCode, says]).toEqual([2, expect.stringContaining(`${file} is not a mapping`)]);
        return says;
      },
    );
  };

  test("CL22 may have the fields of a mapping, and any payload and defaults", async () => {
    expect(await faultOf(JSON.stringify(mapping))).toBeNull();
    expect(await faultOf("{}")).toBeNull(); // the kind may come from --kind
  });

  test("CL22 with a field that does not exist is refused with its path, at any depth that has a form", async () => {
    const places = [[], ["requirements"], ["callback"]] as const;
    const unknown = fc
      .oneof(
        fc.constantFrom("payloads", "peerId", "kinds", "uri", "maxAttempts", "constructor"),
        fc.string({ minLength: 1, maxLength: 40 }),
      )
      .filter(
        (name) => !JSON.stringify(mapping).includes(JSON.stringify(name)) && name !== "__proto__",
      );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), unknown, async ([place], name) => {
        const inner = place === undefined ? {} : { [place]: { ...mapping[place], [name]: 1 } };
        const outer = place === undefined ? { [name]: 1 } : {};
        const says = await faultOf(JSON.stringify({ ...mapping, ...inner, ...outer }));
        // What a secret of a callback may be is its own matter.
        if (name === "secret" || name === "near" || name === "avoid" || name === "role") return;
        expect(says).toContain(place === undefined ? name : `${place}.${name}`);
        expect(says).toContain("this field does not exist");
      }),
      { numRuns: 60 },
    );
    expect(await faultOf('{"requirement":{"peer_id":"x"}}')).toContain(
      "did you mean `requirements`?",
    );
  });

  test("CL22 with a key that occurs twice is refused with its path", async () => {
    expect(await faultOf('{"kind":"a","requirements":{"role":"dual","role":"worker"}}')).toContain(
      "requirements.role occurs twice",
    );
  });
});
