import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROTOCOLS, type Protocol } from "../../src/protocol/http.ts";
import { denoCases, sdkCases } from "../client/sdk-threads.suite.ts";
import type { MeshUnderTest } from "../client/sdk.subject.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

let started: TestMesh;

beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

const underTest = (protocol: Protocol): MeshUnderTest => {
  const { url, adminToken: token, meshKey } = started.mesh;
  return { url, token, meshKey, protocol };
};

const PROJECT = join(import.meta.dirname, "../..");
const DENO = join(PROJECT, "node_modules/.bin/deno");
const RUNNER = join(import.meta.dirname, "sdk.deno.ts");

// The npm package `deno` has a binary for some platforms only.
const missing = existsSync(DENO) ? "" : " (skipped: node_modules has no deno binary)";

describe.each(PROTOCOLS)("the SDK over %s", (protocol) => {
  describe("on Node", () => {
    test.each(sdkCases(protocol).map((each) => [each.name, each] as const))(
      "%s",
      (_name, { run }) => run(underTest(protocol)),
    );
  });

  describe.skipIf(missing !== "")(`on Deno${missing}`, () => {
    const outcomes = new Map<string, string | null>();

    beforeAll(async () => {
      for (const { name, error } of await runOnDeno(underTest(protocol))) outcomes.set(name, error);
    });

    test.each(denoCases(protocol).map(({ name }) => name))("%s", (name) => {
      expect(outcomes.get(name)).toBeNull();
    });
  });
});

/** Shorter than the timeout of the hook, which would leave the process running. */
const DENO_TIMEOUT_MS = 170_000;

interface Outcome {
  readonly name: string;
  readonly error: string | null;
}

/** Runs the cases on Deno with the dependencies in node_modules; Deno must not download anything. */
async function runOnDeno(mesh: MeshUnderTest): Promise<readonly Outcome[]> {
  const home = await mkdtemp(join(tmpdir(), "muster-deno-"));
  const flags = ["--quiet", "--no-prompt", "--no-remote", "--node-modules-dir=manual"];
  const net = `--allow-net=${new URL(mesh.url).host}`;
  // A thread is started from a file.
  const read = `--allow-read=${PROJECT}`;
  try {
    const { stdout } = await promisify(execFile)(
      DENO,
      ["run", ...flags, net, read, RUNNER, JSON.stringify(mesh)],
      {
        timeout: DENO_TIMEOUT_MS,
        killSignal: "SIGKILL",
        env: { PATH: process.env["PATH"], HOME: home, DENO_DIR: home, DENO_NO_UPDATE_CHECK: "1" },
      },
    );
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Outcome);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
