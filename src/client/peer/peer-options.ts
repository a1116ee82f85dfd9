import type { Protocol } from "../../protocol/http.ts";
import type { Role } from "../../protocol/messages.ts";
import type { PeerEventListener } from "./peer-events.ts";
import type { PrivateKey } from "../keys.ts";
import type { Platform } from "../platform.ts";
import type { Handlers } from "../work/task-runner.ts";

/** How a peer joins a mesh, and what it does there. */
export interface PeerOptions {
  /** The mesh's base URL, such as `https://mesh.example`, or a `muster://` link, which carries keys too. */
  readonly url: string;
  /** Default `muster/2`. go-p2p 1.0 is weaker (docs/security.md), and for meshes that speak nothing else. */
  readonly protocol?: Protocol;
  /** This peer's key; without it the peer is a new one each time. */
  readonly privateKey?: PrivateKey;
  readonly name?: string;
  /** Default `worker`. A claimed role only narrows what the mesh allows the key. */
  readonly role?: Role;
  /** Labels that tasks can ask for. */
  readonly capabilities?: readonly string[];
  /** Tasks done at once; default 1. */
  readonly slots?: number;
  /**
   * Takes one task more than there are slots, to begin it the moment one is free; another peer that is free sooner gets
   * it instead. Default true.
   */
  readonly prefetch?: boolean;
  /** When the key was made (RFC 3339); shown to the mesh. */
  readonly createdAt?: string;
  /** The mesh's public key: anything else that answers is refused. Without it the first key met is held to. */
  readonly meshKey?: string | Uint8Array;
  /** The key that the mesh announced as its next one (`mesh.next_public_key` of a welcome), if this was remembered. */
  readonly nextMeshKey?: string | Uint8Array;
  /** Adds this peer to the mesh's allowlist. Sent only to a mesh whose pinned key was proved. */
  readonly joinKey?: string;
  readonly handlers?: Handlers;
  readonly onEvent?: PeerEventListener;
  /** Replaces clock, randomness or sockets; for tests and unusual runtimes. */
  readonly platform?: Partial<Platform>;
}

/** What a peer can say anew of itself while it runs; what is left out stays as it was. */
export type Announcement = Pick<PeerOptions, "capabilities" | "slots" | "prefetch">;
