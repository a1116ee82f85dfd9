import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMesh } from "../../server/mesh-process.ts";
import type { LogLine } from "../../src/base/log/log-line.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";

export interface TestMesh {
  readonly mesh: MeshProcess;
  /** The folder that contains the state folder `.muster`; a test may write its own files here. */
  readonly dir: string;
  /** What the mesh has reported so far. */
  readonly reported: readonly string[];
  stop(): Promise<void>;
}

/** Starts a mesh on workerd in a new folder, which is deleted when the mesh stops. */
export async function testMesh(
  variables: Readonly<Record<string, string>> = {},
): Promise<TestMesh> {
  const dir = await mkdtemp(join(tmpdir(), "muster-e2e-"));
  const reported: string[] = [];
  const onLog = ({ message }: LogLine) => void reported.push(message);
  const mesh = await startMesh({ dir: join(dir, ".muster"), port: 0, variables, onLog });
  return {
    mesh,
    reported,
    dir,
    stop: async () => {
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
