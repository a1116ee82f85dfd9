import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, ProcessMarker, start } from "./processes.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

const HANDLERS = `
export const handlers = {
  shout: (text) => {
    console.log("shouting " + text);
    return text.toUpperCase();
  },
  token: () => process.env.MUSTER_TOKEN ?? "none",
  fill: () => {
    const map = new Map();
    for (let i = 0; ; i++) map.set(i, { i });
  },
  loop: () => {
    for (;;);
  },
};
`;

const here = (...args: readonly string[]) => muster(args, { cwd: started.dir });

async function joinWithModule(...args: readonly string[]) {
  const marker = new ProcessMarker();
  await writeFile(join(started.dir, "handlers.mjs"), HANDLERS);
  const peer = start(["join", "--module", "handlers.mjs", ...args], {
    cwd: started.dir,
    env: { ...marker.env, MUSTER_TOKEN: started.mesh.adminToken },
  });
  await peer.waitForOutput(/joined|"ready"/);
  return { peer, marker };
}

describe("muster join --module", () => {
  test("WK4 runs the handlers of the module in threads, which do not see the operator's token", async () => {
    const { peer } = await joinWithModule("--json");
    expect((await here("assign", "shout", '"hello"', "--wait")).stdout).toContain("HELLO");
    expect((await here("assign", "token", "--wait")).stdout).toContain("none");
    peer.child.kill("SIGTERM");
    const { code, stdout, stderr } = await peer.finished;
    expect(code).toBe(0);
    // Stdout has the events only, one JSON object on each line.
    const types = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toContain("task_succeeded");
    expect(stderr).toContain("shouting hello");
  });

  test("WK5 ends a handler that loops for ever, and goes on", async () => {
    const { peer, marker } = await joinWithModule();
    const limits = ["--attempt-timeout", "1", "--attempts", "1"];
    const looped = await here("assign", "loop", ...limits, "--wait");
    expect(looped.code).toBe(1);
    expect((await here("assign", "shout", '"still here"', "--wait")).stdout).toContain(
      "STILL HERE",
    );
    peer.child.kill("SIGTERM");
    expect((await peer.finished).code).toBe(0);
    await marker.expectNoneLeft();
  });

  test("CL54 outlives a handler that fills its heap, and CL55 shares the kinds with commands", async () => {
    const { peer, marker } = await joinWithModule(
      "--memory",
      "64",
      "--handler",
      "cat=cat",
      "--exec",
      "echo '\"rest\"'",
      "--kind",
      "fill",
      "--kind",
      "shout",
      "--kind",
      "cat",
      "--kind",
      "other",
    );
    const filled = await here("assign", "fill", "--attempts", "1", "--wait");
    expect(filled.stderr).toContain("ran out of memory");
    for (const [kind, result] of [
      ["shout", '"X"'],
      ["cat", '"x"'],
      ["other", '"rest"'],
    ] as const)
      expect((await here("assign", kind, '"x"', "--wait")).stdout).toBe(`${result}\n`);
    const waiting = await here("assign", "loop");
    expect(waiting.stderr).toContain("no connected peer");
    await here("task", waiting.stdout.trim(), "--cancel");
    peer.child.kill("SIGTERM");
    expect((await peer.finished).code).toBe(0);
    await marker.expectNoneLeft();
  });

  test("CL54 the processes of the module end with a peer that is killed, whatever their handlers do", async () => {
    const { peer, marker } = await joinWithModule();
    await here("assign", "loop");
    await peer.waitForOutput(/started/);
    peer.child.kill("SIGKILL");
    await peer.finished;
    await marker.expectNoneLeft();
  });

  test("WK7 says why the module can't be loaded", async () => {
    await writeFile(join(started.dir, "empty.mjs"), "export const nothing = 1;");
    const { code, stderr } = await here("join", "--module", "empty.mjs");
    expect(code).toBe(2);
    expect(stderr).toContain("handlers_not_loaded: the handlers' module file:///");
    expect(stderr).toContain("the module exports no handlers");
  });

  test.each([
    [["--kind", "a"], "--kind needs --exec, --handler or --module"],
    [["--handler", "a=cat", "--kind", "b"], "nothing runs tasks of the kind b"],
  ])("refuses %j", async (args, reason) => {
    const { code, stderr } = await here("join", ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
  });
});
