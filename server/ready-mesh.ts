import { z } from "zod";
import { Failure } from "../src/cli/failure.ts";
import { AuthMode } from "../src/protocol/http.ts";
import { askMesh, reasonOf, type MeshAnswer } from "./ask-mesh.ts";

const Mesh = z.object({ public_key: z.string() });
const Mode = z.object({ mode: AuthMode });
const NO_ID = "0".repeat(32);

/**
 * Asks a mesh that listens whether its settings are right, whether it is the one with this key, and its coordinator for the auth mode: a coordinator
 * answers only if its database can be written. Opens the store, too: on a disk that becomes full it could not be opened any more.
 */
export async function readyMesh(
  socket: string,
  meshKey: string,
  token: string,
): Promise<{ readonly authMode: AuthMode }> {
  const mesh = read(Mesh, await askMesh(socket, { path: "/v1/mesh" }));
  if (mesh.public_key !== meshKey)
    throw new Failure(`the key of the mesh is ${mesh.public_key}, not ${meshKey}`);
  const { mode } = read(Mode, await askMesh(socket, { path: "/v1/auth-mode", token }));
  // Whether there is such an entry does not matter: the store is open from now on.
  await askMesh(socket, { path: `/v1/blobs/${NO_ID}`, token });
  return { authMode: mode };
}

function read<T>(schema: z.ZodType<T>, answer: MeshAnswer): T {
  const parsed = schema.safeParse(answer.body);
  if (answer.status === 200 && parsed.success) return parsed.data;
  throw new Failure(`the mesh cannot run: ${reasonOf(answer)}`);
}
