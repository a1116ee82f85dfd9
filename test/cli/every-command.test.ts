import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { argumentCounts } from "../../src/cli/args.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { describeError } from "../../src/cli/failure.ts";
import { ERROR_CODES, statusOf, type ErrorCode } from "../../src/protocol/errors.ts";
import { muster } from "./command-run.ts";
import { EVERY_CALL, NEW, TASK } from "./every-call.ts";
import { startSampleMesh, type Refusal, type SampleMesh } from "./sample-mesh.ts";

const MISSING: Refusal = { status: 404, code: "not_found" };
let refusal: Refusal | null = null;
let mesh: SampleMesh;
beforeAll(async () => {
  mesh = await startSampleMesh((method, path) =>
    refusal === null && method === "GET" && path.endsWith(`/${NEW}`) ? MISSING : refusal,
  );
});
afterEach(() => {
  refusal = null;
  vi.unstubAllEnvs();
});
afterAll(async () => {
  mesh.server.close();
  mesh.server.closeAllConnections();
  await once(mesh.server, "close");
});

/** What ends only when it is stopped, or verifies what a sample can't have. */
const ENDLESS = ["webhook listen"];
const VERIFIED = ["discover"];

const select = (url: string): readonly string[] => ["--url", url];
const calls = EVERY_CALL.map(([name, argv]) => [name, argv] as const);

test("CL31 the calls are those of every command and action that sends requests", () => {
  expect(calls.length).toBeGreaterThan(50);
});

/** The exit code of every command, all at once: some errors are tried again for a while. */
async function exitCodes(url: string): Promise<Readonly<Record<string, number>>> {
  const codes = await Promise.all(
    calls.map(async ([name, [command = "", ...argv]]) => {
      const run = COMMANDS[command]?.run([...argv, ...select(url)]) ?? Promise.resolve(-1);
      const code = await run.catch((error: unknown) => describeError(error).exitCode);
      return [name, code] as const;
    }),
  );
  return Object.fromEntries(codes);
}

const all = (code: number) => Object.fromEntries(calls.map(([name]) => [name, code]));

describe("CL31 the exit code of every command", () => {
  test("is 3 if nothing answers", async () => {
    expect(await exitCodes("http://127.0.0.1:1")).toEqual(all(EXIT.unreachable));
  });

  const CLASSES = {
    invalid_request: EXIT.usage,
    unauthorized: EXIT.refused,
    forbidden: EXIT.refused,
    conflict: EXIT.failed,
    internal: EXIT.failed,
    unavailable: EXIT.unreachable,
    queue_full: EXIT.failed,
  } satisfies Partial<Record<ErrorCode, number>>;

  test.each(Object.entries(CLASSES))("if the mesh answers %s, is %i", async (code, expected) => {
    refusal = { status: statusOf(code as ErrorCode), code };
    expect(await exitCodes(mesh.url)).toEqual(all(expected));
  });

  test.each([
    [401, EXIT.refused],
    [403, EXIT.refused],
    [400, EXIT.usage],
    [418, EXIT.failed],
  ])(
    "if a newer mesh answers %i with a code that this program does not know",
    async (status, code) => {
      refusal = { status, code: "code_of_tomorrow" };
      expect(await exitCodes(mesh.url)).toEqual(all(code));
    },
  );

  test.each(calls)("of %s is 2 if the call is wrong, before any request", async (_, argv) => {
    for (const wrong of ["--no-such-option", "--url"]) {
      const { code, err, out } = await muster(...argv, wrong);
      expect([code, out]).toEqual([EXIT.usage, ""]);
      expect(err).toMatch(/^muster: .*; .*\n/m);
    }
  });
});

describe("CL32 with --json", () => {
  test.each(calls.filter(([name]) => ![...ENDLESS, ...VERIFIED].includes(name)))(
    "%s prints one JSON document, and nothing else on stdout",
    async (_, argv) => {
      const { code, out, err } = await muster(...argv, ...select(mesh.url), "--json");
      expect([code, err.includes(`"exit_code"`) ? err : ""]).toEqual([0, ""]);
      expect(JSON.parse(out)).not.toBe(undefined);
    },
  );

  test.each(calls)(
    "an error of %s is one JSON object, the last line of stderr",
    async (_, argv) => {
      refusal = { status: 403, code: "forbidden" };
      const refused = await muster(...argv, ...select(mesh.url), "--json");
      expect([refused.code, refused.out]).toEqual([EXIT.refused, ""]);
      expect(JSON.parse(refused.err.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
        code: "forbidden",
        message: expect.stringMatching(/^why/) as string,
        remedy: "`npx muster help forbidden` explains it",
        exit_code: 4,
        status: 403,
      });
      const wrong = await muster(...argv, "--no-such-option", "--json");
      expect([wrong.code, wrong.out]).toEqual([EXIT.usage, ""]);
      expect(JSON.parse(wrong.err)).toMatchObject({
        code: "usage",
        message: expect.stringContaining("--no-such-option") as string,
        remedy: expect.any(String) as string,
        exit_code: 2,
      });
    },
  );

  test.each([["version"], ["help"], ["completion", "bash"]])(
    "%s, which asks no mesh, prints one JSON document",
    async (...argv) => {
      const { code, out } = await muster(...argv, "--json");
      expect(code).toBe(0);
      expect(JSON.parse(out)).toBeTypeOf("object");
    },
  );

  test("every command has the option", () => {
    for (const [name, { options }] of Object.entries(COMMANDS))
      expect([name, Object.keys(options)]).toEqual([name, expect.arrayContaining(["json"])]);
  });
});

test("CL31 every code of a mesh leads to an exit code from 1 to 4", async () => {
  const found = new Set<number>();
  for (const code of ERROR_CODES) {
    refusal = { status: statusOf(code), code };
    // A request that is not tried again.
    const { code: exit } = await muster("mesh", "drain", ...select(mesh.url));
    found.add(exit);
  }
  expect([...found].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
});

describe("CL72 every command, also those that ask no mesh or run one", () => {
  const names = Object.entries(COMMANDS).flatMap(([name, { actions }]) => [
    [name],
    ...Object.keys(actions ?? {}).map((action) => [name, action]),
  ]);

  test.each(names.map((words) => [words.join(" "), words] as const))(
    "%s: wrong calls are usage errors with a hint, also as JSON",
    async (_, words) => {
      const [name = "", action] = words;
      const command = COMMANDS[name];
      const call = action === undefined ? command : command?.actions?.[action];
      const own = Object.entries({ ...command?.options, ...call?.options });
      const [valued] = own.find(([, { type }]) => type === "string") ?? [];
      const [flag] = own.find(([id, { type }]) => type === "boolean" && id !== "json") ?? [];
      const [, max] = argumentCounts(call?.arguments ?? []);
      const isCommandWithActions = action === undefined && command?.actions !== undefined;
      const wrong = [
        ["--no-such-option"],
        ...(valued === undefined ? [] : [[`--${valued}`]]),
        ...(flag === undefined ? [] : [[`--${flag}=1`]]),
        ...(Number.isFinite(max) && !isCommandWithActions
          ? [Array.from({ length: max + 1 }, () => "x")]
          : []),
      ];
      for (const more of wrong) {
        const { code, out, err } = await muster(...words, ...more);
        expect([more, code, out]).toEqual([more, EXIT.usage, ""]);
        expect(err).toMatch(/^muster: .+; .+\n/);
        const json = await muster(...words, "--json", ...more);
        expect([more, json.code, json.out]).toEqual([more, EXIT.usage, ""]);
        expect(JSON.parse(json.err)).toMatchObject({
          code: "usage",
          exit_code: 2,
          message: expect.any(String) as string,
          remedy: expect.any(String) as string,
        });
      }
    },
  );

  test.each(names.map((words) => [words.join(" "), words] as const))(
    "%s: help and --help say the same, whatever else is in the call",
    async (_, words) => {
      const { out, code } = await muster("help", ...words);
      expect(code).toBe(0);
      expect(out).toMatch(/^usage: npx muster /);
      for (const ask of [["--help"], ["-h"], ["--help", "--json"], ["--no-such-option", "--help"]])
        expect([ask, (await muster(...words, ...ask)).out]).toEqual([ask, out]);
    },
  );
});

/** Calls whose route is one that the least call of a command does not use. */
const MORE_CALLS = [
  ["events"],
  ["task", TASK, "--cancel"],
  ["task", TASK, "--retry"],
  ["task", TASK, "--result"],
  ["task", TASK, "--trace"],
  ["mesh", "auth-mode", "open"],
  ["webhook", "deliveries", "a"],
];

/** Routes below /v1 that no command calls, and why. */
const WITHOUT_COMMAND: Readonly<Record<string, string>> = {
  "GET /v1/export": "a stream: `muster backup`",
  "POST /v1/imports": "`muster restore`, which has tests of its own",
  "PUT /v1/imports/{id}/parts/{part}": "`muster restore`",
  "POST /v1/imports/{id}/commit": "`muster restore`",
  "GET /v1/imports/{id}": "for programs: `muster restore` goes on by itself",
  "DELETE /v1/imports/{id}": "an import that is given up ends by itself",
  "GET /v1/connect": "a WebSocket: `muster join`",
  "GET /v1/caller": "for the dashboard, which offers what its token may do",
  "GET /v1/map": "for the dashboard, which draws it",
  "GET /v1/costs": "for the dashboard's overview",
  "GET /v1/mesh/proof": "for peers and for controllers that know the key of the mesh",
  "GET /v1/task-payloads/{id}/{fence}": "for peers",
  "PUT /v1/task-results/{id}/{fence}": "for peers",
  "GET /v1/task-results/{id}": "for peers",
  "POST /v1/webhooks/{name}": "for senders",
  "GET /v1/pointers/{id}": "for programs: `muster discover` reads the whole list",
  "GET /v1/blobs/{id}": "`muster discover` reads those that a real list names",
  "POST /v1/peers/{id}/cordon": "`muster peers cordon` uses the route for several peers",
  "POST /v1/peers/{id}/uncordon": "as cordon",
  "POST /v1/peers/{id}/drain": "as cordon",
};

test("CL42 every route below /v1 has a command that calls it, except those for programs", async () => {
  for (const argv of [...calls.map(([, each]) => each), ...MORE_CALLS])
    if (!ENDLESS.includes(argv.slice(0, 2).join(" ")))
      await muster(...argv, ...select(mesh.url), "--json");
  const missing = mesh.routes.filter((route) => route.includes(" /v1/") && !mesh.called.has(route));
  expect(missing.toSorted()).toEqual(Object.keys(WITHOUT_COMMAND).toSorted());
});
