/** Runs the SDK's cases on Deno. The argument is the mesh as JSON; the output is one JSON line per case. */
import process from "node:process";
import { denoCases } from "../client/sdk-threads.suite.ts";
import type { MeshUnderTest } from "../client/sdk.subject.ts";

const mesh = JSON.parse(process.argv[2] ?? "null") as MeshUnderTest;

for (const { name, run } of denoCases(mesh.protocol)) {
  const error = await run(mesh).then(
    () => null,
    (reason: unknown) =>
      reason instanceof Error ? (reason.stack ?? reason.message) : String(reason),
  );
  console.log(JSON.stringify({ name, error }));
}
process.exit(0);
