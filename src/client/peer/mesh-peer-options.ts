import type { Millis } from "../../base/clock.ts";
import type { PeerProfile } from "../connection/connection.ts";
import type { Platform } from "../platform.ts";
import type { ThreadPool } from "../threads/thread-pool.ts";
import type { Handlers } from "../work/handler.ts";
import type { Destination } from "./destination.ts";
import type { PeerEventListener } from "./peer-events.ts";

/** What a peer is made of, validated. */
export interface MeshPeerOptions {
  readonly profile: PeerProfile;
  readonly destination: Destination;
  readonly handlers: Handlers;
  /** The handlers of the peer if the module has these. */
  readonly select: (loaded: Handlers) => Handlers;
  /** The threads that run the handlers of a module; null if `handlers` are all that there are. */
  readonly threads: ThreadPool | null;
  readonly onEvent: PeerEventListener | undefined;
  readonly platform: Platform;
  /** How long calls of `tasks` that wait go on without an answer. */
  readonly outageMs: Millis;
}
