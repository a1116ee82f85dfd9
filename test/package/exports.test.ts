import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { run, tool } from "./tools.ts";

const { sdkFolder } = inject("installed");
const NODES = [
  ["the oldest Node", tool("node")],
  ["the newest Node", process.execPath],
] as const;

describe("PK13 the exports of the package", () => {
  test.each(NODES)("load by import and by require, as the same module, on %s", async (_, node) => {
    const args = ["--no-warnings", join(sdkFolder, "exports.cjs")];
    const printed = await run(node, args, { cwd: sdkFolder, env: { NODE_OPTIONS: "" } });
    const seen = JSON.parse(printed) as Readonly<Record<string, readonly string[]>>;
    expect(seen["muster-mesh"]).toEqual(expect.arrayContaining(["connectPeer", "controller"]));
    expect(seen["muster-mesh/stmf"]).toContain("encrypt");
    expect(seen["muster-mesh/replica"]).toContain("serveReplica");
  });

  test.each(NODES)("serve a replica without a package of the user's on %s", async (_, node) => {
    const args = [join(sdkFolder, "replica.mjs")];
    const printed = await run(node, args, { cwd: sdkFolder, env: { NODE_OPTIONS: "" } });
    expect(JSON.parse(printed)).toEqual({ refused: true, faults: true, notes: 1, answers: 200 });
  });
});
