import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectPeer, TaskError } from "../../src/client/index.ts";
import { ATTACKS, hostileIn } from "../cli/terminal.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually, muster, start, type ExitResult } from "./processes.ts";

const HOSTILE = `begin ${ATTACKS.join("|")} end`;
/** A payload or a result with half a surrogate pair is refused (AS132). */
const HOSTILE_VALUE = HOSTILE.toWellFormed();

let started: TestMesh;
let worker: ReturnType<typeof connectPeer>;
beforeAll(async () => {
  started = await testMesh();
  const { url, meshKey } = started.mesh;
  worker = connectPeer({
    url,
    meshKey,
    name: "hostile",
    slots: 4,
    handlers: {
      result: () => ({ [HOSTILE_VALUE]: HOSTILE_VALUE }),
      error: () => {
        throw new TaskError(HOSTILE, { retry: false });
      },
      progress: async (_payload, { progress, signal }) => {
        progress(0.5, HOSTILE);
        await new Promise((stopped) => signal.addEventListener("abort", stopped));
        return null;
      },
    },
  });
  await worker.ready;
});
afterAll(async () => {
  await (worker as typeof worker | undefined)?.close();
  await (started as TestMesh | undefined)?.stop();
});

const here = (...args: string[]): Promise<ExitResult> => muster(args, { cwd: started.dir });

/** Fails if a terminal would act on the output, or if a line begins with what a peer wrote. */
function expectHarmless({ stdout, stderr }: Pick<ExitResult, "stdout" | "stderr">): void {
  const text = stdout + stderr;
  expect(hostileIn(text)).toEqual([]);
  expect(text).toMatch(/begin .*(?:end|…)/);
  expect(text).not.toMatch(/^muster: forged|^ *at forged/m);
}

describe("a hostile worker", () => {
  test("CL1 has no way to the terminal by its result", async () => {
    const waited = await here("assign", "result", "--wait");
    expectHarmless(waited);
    expect(Object.keys(JSON.parse(waited.stdout) as object)).toEqual([HOSTILE_VALUE]);
    const listed = await here("tasks", "list", "--kind", "result", "--json");
    const [{ id = "" } = {}] = JSON.parse(listed.stdout) as { id?: string }[];
    for (const option of [[], ["--json"], ["--follow"], ["--result"]])
      expectHarmless(await here("task", id, ...option));
  });

  test("CL1 has no way to the terminal by its error", async () => {
    const waited = await here("assign", "error", "--wait", "--json");
    expectHarmless(waited);
    const { id } = JSON.parse(waited.stdout) as { id: string };
    for (const args of [
      ["task", id],
      ["task", id, "--json"],
      ["tasks", "list"],
      ["tasks", "failures"],
    ])
      expectHarmless(await here(...args));
  });

  test("CL1 has no way to the terminal by its progress", async () => {
    const id = (await here("assign", "progress")).stdout.trim();
    const following = start(["task", id, "--follow"], { cwd: started.dir });
    await following.waitForOutput(/50 %/);
    await here("task", id, "--cancel");
    expectHarmless(await following.finished);
  });
});

test("CL1 the error output of a program has no way to the terminal of muster join", async () => {
  await writeFile(join(started.dir, "stderr.txt"), HOSTILE);
  const args = ["join", "--kind", "program", "--exec", "cat stderr.txt >&2; exit 3"];
  const peer = start(args, { cwd: started.dir });
  await peer.waitForOutput(/joined/);
  expectHarmless(await here("assign", "program", "--wait", "--attempts", "1"));
  await eventually(
    () => peer.stdout.includes("failed: exit code 3"),
    () => `a failed attempt in: ${peer.stdout}`,
  );
  peer.child.kill("SIGINT");
  expectHarmless(await peer.finished);
});

test("CL6 what the handlers of a module print is marked as theirs, line by line", async () => {
  const module = `export const handlers = { print: (text) => {
    console.log(text);
    console.error(text);
    process.stderr.write("no newline");
    return null;
  } };`;
  await writeFile(join(started.dir, "printing.mjs"), module);
  const peer = start(["join", "--module", "printing.mjs"], { cwd: started.dir });
  await peer.waitForOutput(/joined/);
  const printed = await here("assign", "print", JSON.stringify(HOSTILE_VALUE), "--wait");
  expect(printed.stdout).toBe("null\n");
  await eventually(
    () => peer.stderr.split("begin").length === 3,
    () => `two printed texts in: ${peer.stderr}`,
  );
  peer.child.kill("SIGINT");
  const { stderr } = await peer.finished;
  expect(hostileIn(stderr)).toEqual([]);
  for (const line of stderr.trim().split("\n")) expect(line).toMatch(/^(?:\[module\] |trusting )/);
});
