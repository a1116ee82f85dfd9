import type { KeyPair } from "../../crypto/identity.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { KnownPeer } from "./advert.ts";
import type { PeerTasks } from "./session-tasks.ts";
import type { JoinedMesh } from "./peer-events.ts";
import type { PrivateKey } from "../keys.ts";
import type { Announcement } from "./peer-options.ts";
import type { MeasuredRtt } from "./rtt-report.ts";

export type PeerState = "connecting" | "joining" | "active" | "waiting" | "closed";

/** A peer of a mesh; comes back by itself until it is closed or sent away. */
export interface Peer {
  readonly id: string;
  /** In hex, as the allowlist takes it. */
  readonly publicKey: string;
  /** `joining`: the mesh has proved itself and judges us. `waiting`: between two tries. */
  readonly state: PeerState;
  /** What finds and opens other peers, where the mesh takes this peer for a member; as of the newest welcome. */
  readonly discoveryKeys: DiscoveryKeys | null;
  /** The first welcome; rejects with a `PeerError` when there will be none. */
  readonly ready: Promise<JoinedMesh>;
  /** Resolves after `close()`; rejects with a `PeerError` when the mesh ended it for good. */
  readonly closed: Promise<void>;
  /**
   * Takes a new key: record, allowlist entry and held tasks go with it, and the old key never comes back. Resolves with
   * the new keys once the mesh has said welcome under them; keep them before you call this, for the old ones are worth
   * nothing then. Rejects with a `PeerError` (`rotation_failed`) when the mesh does not take the key.
   */
  rotate(newKey?: PrivateKey): Promise<KeyPair>;
  /**
   * Tells the mesh of other peers that this one knows, 32 at most and once a minute; the mesh answers with a `sample` event.
   * False when there is no session to say it in. Throws an `OptionsError` for what can't be said.
   */
  advertise(peers: readonly KnownPeer[]): boolean;
  /**
   * Tells the mesh what round trips to other peers this one has measured by its own means, at most 16 at once, for
   * estimates between peers; one report in 10 s counts. False when no session could take it, or go-p2p 1.0 carries it.
   */
  reportRtts(rtts: readonly MeasuredRtt[]): boolean;
  /** Gives tasks over the session, where the mesh lets this peer. */
  readonly tasks: PeerTasks;
  /** Tells the mesh what this peer can do from now on: what waits for just that comes at once. */
  announce(changes: Announcement): void;
  /** Leaves the mesh: aborts the handlers and says goodbye. Settles once the socket is closed. */
  close(reason?: string): Promise<void>;
}
