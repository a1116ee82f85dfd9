import type { Millis } from "../src/base/clock.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import type { SessionContext } from "../src/session/context.ts";
import type { Session } from "../src/session/state.ts";
import type { MeshConfig } from "./config.ts";

/** The context of one step. The mesh has the identity that the peer connected to, as long as the mesh accepts that one. */
export function stepContext(
  session: Session,
  { identities, name }: MeshConfig,
  now: Millis,
  heartbeatAt: Millis | null,
  objectId: string,
): SessionContext {
  const { current, next } = identities;
  const requested = "origin" in session ? session.origin.meshId : current.id;
  return {
    now,
    randomBytes: platformRandom,
    mesh: { keys: next?.id === requested ? next : current, name },
    nextMeshKey: next?.publicKey ?? null,
    heartbeatAt,
    objectId,
  };
}
