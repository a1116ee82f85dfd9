import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readArgs } from "../../../src/cli/args.ts";
import {
  inputOf,
  REMOVAL_OPTIONS,
  SOURCE_OPTIONS,
  sourceOf,
  without,
  type SourceInput,
} from "../../../src/cli/webhooks/source-options.ts";
import { readMapping } from "../../../src/cli/webhooks/mapping-file.ts";
import { sourceLines } from "../../../src/cli/webhooks/source-text.ts";
import { WebhookSourceBody, WebhookSourceView } from "../../../src/protocol/http.ts";

const OPTIONS = { ...SOURCE_OPTIONS, ...REMOVAL_OPTIONS } as const;
const read = (argv: readonly string[]) =>
  readArgs(argv, OPTIONS, { arguments: [], usage: "webhook create NAME" }).values;

async function created(...argv: string[]): Promise<SourceInput> {
  const values = read(argv);
  return sourceOf(values, await readMapping(values), null);
}
async function updated(before: SourceInput, ...argv: string[]): Promise<SourceInput> {
  const values = read(argv);
  return sourceOf(values, await readMapping(values), without(before, values));
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-mapping-"));
  await writeFile(
    join(dir, "mapping.json"),
    '{"kind":"build","payload":{"commit":"$.after"},"defaults":{"$.after":null}}',
  );
  await writeFile(join(dir, "list.json"), "[]");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const MINIMAL = ["--scheme", "github", "--kind", "build"];

describe("the options of a webhook source", () => {
  test("CL25 describe every setting of a source", async () => {
    const source = await created(
      ..."--scheme hmac --signature-header X-Shop-Hmac --signature-encoding base64".split(" "),
      ..."--signature-prefix sha256= --kind $.type --priority 2 --deadline 600".split(" "),
      ...`--role worker --min-score 0.5 --peer ${"ab".repeat(16)} --attempts 2 --lease 30`.split(
        " ",
      ),
      ..."--capability gpu --capability arch=arm64 --max-bytes 1000000".split(" "),
      ..."--max-body-bytes 5000000 --identity-path $.id".split(" "),
      ..."--callback https://example.com/done --filter $.type~order.*".split(" "),
      ...`--filter header:x-test=yes --payload {"id":"$.id"} --default $.id=0`.split(" "),
      ...`--default $['a=b']="x=1"`.split(" "),
    );
    expect(source).toEqual({
      scheme: "hmac",
      signature: { header: "X-Shop-Hmac", encoding: "base64", prefix: "sha256=" },
      task: {
        kind: "$.type",
        payload: { id: "$.id" },
        defaults: { "$.id": 0, "$['a=b']": "x=1" },
        requirements: {
          capabilities: ["gpu", "arch=arm64"],
          role: "worker",
          min_score: 0.5,
          peer_id: "ab".repeat(16),
        },
        priority: 2,
        deadline_seconds: 600,
        max_attempts: 2,
        lease_seconds: 30,
        callback: { url: "https://example.com/done" },
      },
      filters: [
        { path: "$.type", matches: "order.*" },
        { header: "x-test", equals: "yes" },
      ],
      max_bytes: 1_000_000,
      max_body_bytes: 5_000_000,
      identity: { path: "$.id" },
    });
    expect(Object.keys(WebhookSourceBody.shape).toSorted()).toEqual(
      [...Object.keys(source), "secret", "secrets"].toSorted(),
    );
  });

  test("CL25 take a mapping from a file, which options change", async () => {
    const file = join(dir, "mapping.json");
    expect((await created("--scheme", "github", "--mapping-file", file)).task).toEqual({
      kind: "build",
      payload: { commit: "$.after" },
      defaults: { "$.after": null },
    });
    const changed = await created("--scheme", "github", "--mapping-file", file, "--kind", "test");
    expect(changed.task).toMatchObject({ kind: "test", payload: { commit: "$.after" } });
  });

  test.each([
    [[], "--scheme is missing"],
    [["--scheme", "gitlab", "--kind", "a"], "--scheme must be one of"],
    [["--scheme", "github"], "--kind is missing"],
    [[...MINIMAL, "--payload", "x"], "--payload is not JSON"],
    [[...MINIMAL, "--payload", "1", "--payload-path", "$"], "exclude each other"],
    [[...MINIMAL, "--payload-path", "data"], 'must be a JSON path into the event, not "data"'],
    [[...MINIMAL, "--default", "$.a"], "--default must have the form PATH=JSON"],
    [[...MINIMAL, "--filter", "push"], "--filter does not understand"],
    [[...MINIMAL, "--priority", "x"], "--priority must be a number"],
    [[...MINIMAL, "--priority", "1.5"], "--priority is not valid"],
    [[...MINIMAL, "--attempts", "0"], "--attempts is not valid"],
    [[...MINIMAL, "--deadline", "-1"].map((word) => word.replace(/^-1$/, "0")), "--deadline is"],
    [[...MINIMAL, "--peer", "x"], "--peer must be the ID of a peer"],
    [[...MINIMAL, "--role", "controller"], "--role must be one of worker, dual"],
    [[...MINIMAL, "--max-bytes", "x"], "--max-bytes must be a whole number"],
    [[...MINIMAL, "--signature-header", "x-a"], "only hmac and stripe accept"],
    [[...MINIMAL, "--signature-prefix", "v1="], "describe a header that is not named"],
    [[...MINIMAL, "--mapping-file", "/none.json"], "/none.json does not exist"],
    [
      [...MINIMAL, ...Array.from({ length: 11 }, () => ["--filter", "$.a=1"]).flat()],
      "--filter is not valid",
    ],
  ])("CL25 name the option that is wrong: %j", async (argv, fault) => {
    await expect(created(...argv)).rejects.toThrow(fault);
  });

  test("CL25 refuse a mapping file that is no mapping", async () => {
    await expect(
      created("--scheme", "github", "--mapping-file", join(dir, "list.json")),
    ).rejects.toThrow("is not a mapping");
  });

  const BEFORE = WebhookSourceView.parse({
    name: "ci",
    scheme: "hmac",
    signature: { header: "x-a", encoding: "hex", prefix: "v1=" },
    secrets: 2,
    task: {
      kind: "build",
      payload: { commit: "$.after" },
      defaults: { "$.after": null },
      callback: { url: "https://example.com/done" },
      requirements: { capabilities: ["gpu"] },
    },
    filters: [{ path: "$.ref", equals: "main" }],
    created_at: "2026-01-01T00:00:00.000Z",
    deliveries: 7,
    max_bytes: 5_000,
  });

  test("CL25 of update change what they name, and nothing else", async () => {
    const before = inputOf(BEFORE);
    expect(await updated(before)).toEqual(before);
    expect(await updated(before, "--kind", "test")).toEqual({
      ...before,
      task: { ...before.task, kind: "test" },
    });
    expect(await updated(before, "--capability", "cpu", "--role", "worker")).toMatchObject({
      task: { ...before.task, requirements: { capabilities: ["cpu"], role: "worker" } },
    });
    expect(await updated(before, "--signature-prefix", "v2=")).toMatchObject({
      signature: { header: "x-a", encoding: "hex", prefix: "v2=" },
    });
    expect((await updated(before, "--filter", "$.a=1")).filters).toEqual([
      { path: "$.a", equals: 1 },
    ]);
    expect((await updated(before, "--scheme", "github")).signature).toBeUndefined();
    expect((await updated(before, "--max-bytes", "none")).max_bytes).toBeNull();
  });

  test("CL25 of update remove what they say", async () => {
    const bare = await updated(
      inputOf(BEFORE),
      "--no-filters",
      "--no-defaults",
      "--no-callback",
      "--no-requirements",
    );
    expect(bare.filters).toEqual([]);
    const { defaults, callback, requirements, ...kept } = bare.task;
    expect([defaults, callback, requirements]).toEqual([undefined, undefined, undefined]);
    expect(kept).toMatchObject({ kind: "build", payload: { commit: "$.after" } });
  });

  test("CL25 `show` names every setting", () => {
    const text = sourceLines(BEFORE, "https://mesh.example/v1/webhooks/ci").join("\n");
    for (const shown of [
      "https://mesh.example/v1/webhooks/ci",
      "header x-a, hex, after v1=",
      '{"commit":"$.after"}',
      "$.after=null",
      "$.ref=main",
      "https://example.com/done",
      '["gpu"]',
      "5000",
    ])
      expect(text).toContain(shown);
  });
});
