import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMesh, type MeshProcess } from "../../src/cli/mesh-process.ts";

export interface TestMesh {
  readonly mesh: MeshProcess;
  /** The folder that contains the state folder `.muster`; a test may write its own files here. */
  readonly dir: string;
  stop(): Promise<void>;
}

/** Starts a mesh on workerd in a new folder, which is deleted when the mesh stops. */
export async function testMesh(
  variables: Readonly<Record<string, string>> = {},
): Promise<TestMesh> {
  const dir = await mkdtemp(join(tmpdir(), "muster-e2e-"));
  const mesh = await startMesh({ dir: join(dir, ".muster"), port: 0, variables });
  return {
    mesh,
    dir,
    stop: async () => {
      await mesh.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
