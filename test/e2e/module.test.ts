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

  test("WK7 says why the module can't be loaded", async () => {
    await writeFile(join(started.dir, "empty.mjs"), "export const nothing = 1;");
    const { code, stderr } = await here("join", "--module", "empty.mjs");
    expect(code).toBe(2);
    expect(stderr).toContain("handlers_not_loaded: the handlers' module file:///");
    expect(stderr).toContain("the module exports no handlers");
  });

  test.each([
    [["--module", "a.mjs", "--exec", "cat"], "--exec and --module exclude each other"],
    [["--module", "a.mjs", "--kind", "a"], "a module has a handler for each of its kinds"],
  ])("refuses %j", async (args, reason) => {
    const { code, stderr } = await here("join", ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
  });
});
