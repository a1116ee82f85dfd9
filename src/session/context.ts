import type { Millis, RandomBytes } from "../base/clock.ts";
import type { KeyPair } from "../crypto/identity.ts";

/** The mesh as its peers see it. */
interface MeshIdentity {
  readonly keys: KeyPair;
  readonly name: string;
}

/** The input of every step from outside: nothing in session/ reads a clock or draws random bytes by itself. */
export interface SessionContext {
  readonly now: Millis;
  readonly randomBytes: RandomBytes;
  readonly mesh: MeshIdentity;
  /** Public key of the mesh's next identity while it rotates; null otherwise. */
  readonly nextMeshKey: Uint8Array | null;
  /** When the platform last answered a heartbeat on this socket; null when it never did. */
  readonly heartbeatAt: Millis | null;
  /** ID of the object that holds the session, by which the coordinator calls it. */
  readonly objectId: string;
}
