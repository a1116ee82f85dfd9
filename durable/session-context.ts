import type { Millis } from "../src/base/clock.ts";
import { platformRandom } from "../src/crypto/primitives.ts";
import type { SessionContext } from "../src/session/outgoing.ts";
import type { Session } from "../src/session/state.ts";
import type { MeshConfig } from "./config.ts";

/** The mesh as a session's peer knows it: by the key that it asked for, as long as that one is accepted. */
export function contextOf(
  session: Session,
  { identities, name }: MeshConfig,
  now: Millis,
  beatAt: Millis | null,
): SessionContext {
  const { current, next } = identities;
  const asked = "origin" in session ? session.origin.meshId : current.id;
  return {
    now,
    randomBytes: platformRandom,
    mesh: { keys: next?.id === asked ? next : current, name },
    nextMeshKey: next?.publicKey ?? null,
    heartbeatAt: beatAt,
  };
}
