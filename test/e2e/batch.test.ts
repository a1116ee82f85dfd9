import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, start, type MusterProcess } from "./processes.ts";

/** Counts its attempts in a file by its kind, and fails as its kind says. */
const PROGRAM = `#!/bin/sh
echo x >> "attempts-$MUSTER_TASK_KIND"
case "$MUSTER_TASK_KIND" in
  final) echo "MUSTER_NO_RETRY the payload is no image" >&2; exit 3;;
  again) echo "the disk is busy" >&2; exit 3;;
  *) cat;;
esac
`;

let started: TestMesh;
let peer: MusterProcess;
beforeAll(async () => {
  started = await testMesh();
  await writeFile(join(started.dir, "program.sh"), PROGRAM, { mode: 0o755 });
  peer = start(["join", "--exec", "./program.sh", "--slots", "4", "--json"], {
    cwd: started.dir,
  });
  await peer.waitForOutput(/"type":"ready"/);
});
afterAll(async () => {
  (peer as MusterProcess | undefined)?.child.kill("SIGTERM");
  await (peer as MusterProcess | undefined)?.finished;
  await (started as TestMesh | undefined)?.stop();
});

const here = (...args: readonly string[]) => muster(args, { cwd: started.dir });
const attempts = async (kind: string): Promise<number> =>
  (await readFile(join(started.dir, `attempts-${kind}`), "utf8")).split("\n").length - 1;

test("CL68 a program that says MUSTER_NO_RETRY fails its task at once, another one is tried again", async () => {
  const final = await here("assign", "final", "--attempts", "3", "--wait");
  expect(final.code).toBe(1);
  expect(final.stderr).toContain("exit code 3: the payload is no image");
  expect(await attempts("final")).toBe(1);
  const again = await here("assign", "again", "--attempts", "2", "--wait");
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("exit code 3: the disk is busy");
  expect(await attempts("again")).toBe(2);
});

test("CL69 tasks submit gives each line to the mesh, waits, and prints a result a line", async () => {
  const tasks = Array.from({ length: 120 }, (_, n) => JSON.stringify({ kind: "echo", payload: n }));
  await writeFile(join(started.dir, "tasks.jsonl"), `${tasks.join("\n")}\n`);
  const done = await here("tasks", "submit", "tasks.jsonl", "--wait", "--json");
  expect(done.code).toBe(0);
  const results = done.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { line: number; state: string; result: number });
  expect(
    results
      .map(({ line, state, result }) => [line, state, result])
      .toSorted((a, b) => Number(a[0]) - Number(b[0])),
  ).toEqual(tasks.map((_, n) => [n + 1, "succeeded", n]));
  expect(done.stderr).toContain("120 tasks: 120 succeeded");
});

test("CL69 the exit code is 1 if one task failed, and each line says what became of it", async () => {
  const lines = [
    '{"kind":"echo","payload":"a"}',
    '{"kind":"final"}',
    '{"kind":"echo","payload":"b"}',
  ];
  await writeFile(join(started.dir, "mixed.jsonl"), lines.join("\n"));
  const { code, stdout, stderr } = await here("tasks", "submit", "mixed.jsonl", "--wait");
  expect(code).toBe(1);
  expect(stdout.trim().split("\n").toSorted()).toEqual([
    expect.stringMatching(/^line 1 {2}[0-9a-f-]{36} {2}succeeded {2}"a"$/),
    expect.stringMatching(
      /^line 2 {2}[0-9a-f-]{36} {2}failed {2}exit code 3: the payload is no image$/,
    ),
    expect.stringMatching(/^line 3 {2}[0-9a-f-]{36} {2}succeeded {2}"b"$/),
  ]);
  expect(stderr).toContain("3 tasks: 2 succeeded, 1 failed");
});

test("CL69 the same file with the same key makes no second task; without --wait each line is an ID", async () => {
  await writeFile(join(started.dir, "two.jsonl"), '{"kind":"echo"}\n{"kind":"echo"}\n');
  const call = ["tasks", "submit", "two.jsonl", "--idempotency-key", "once"];
  const first = await here(...call);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toMatch(/^(?:[0-9a-f-]{36}\n){2}$/);
  expect((await here(...call)).stdout).toBe(first.stdout);
  const again = await here(...call, "--json");
  expect(
    again.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([
    { line: 1, duplicate: true },
    { line: 2, duplicate: true },
  ]);
});

test("CL69 a wait that ends before its tasks says how to go on", async () => {
  await writeFile(
    join(started.dir, "never.jsonl"),
    '{"kind":"echo","requirements":{"capabilities":["none-has-this"]}}\n',
  );
  const { code, stderr } = await here("tasks", "submit", "never.jsonl", "--wait", "--timeout", "1");
  expect(code).toBe(1);
  expect(stderr).toContain("1 task: 0 succeeded, 1 have not ended");
  const [, again = ""] =
    /npx muster (tasks submit never\.jsonl --idempotency-key \S+) --wait/.exec(stderr) ?? [];
  const repeated = await here(...again.split(" "), "--json");
  expect(JSON.parse(repeated.stdout)).toMatchObject({ line: 1, duplicate: true });
});
