import type { KeyPair } from "../../crypto/identity.ts";
import type { DiscoveryKeys } from "../../protocol/discovery.ts";
import type { PrivateKey } from "../own-keys.ts";
import type { OptionNames } from "../known-options.ts";
import type { KnownPeer } from "./advert.ts";
import type { JoinedMesh } from "./peer-events.ts";
import type { Announcement } from "./peer-options.ts";
import type { MeasuredRtt } from "./rtt-report.ts";
import type { PeerTasks } from "./peer-tasks.ts";

/**
 * `loading`: the module with the handlers is loaded. `joining`: the mesh has proved its key and decides on admission.
 * `waiting`: disconnected until the next dial.
 */
export type PeerState = "loading" | "connecting" | "joining" | "active" | "waiting" | "closed";

export interface DrainPeerOptions {
  /** How long running tasks may take; default 60. */
  readonly timeoutSeconds?: number;
  /** For people, in the mesh's history of the tasks that are handed back. */
  readonly reason?: string;
}

export const DRAIN_PEER_OPTIONS: OptionNames<DrainPeerOptions> = {
  timeoutSeconds: "number",
  reason: "string",
};

/** A peer of a mesh. It reconnects by itself until it is closed or the mesh refuses it. */
export interface Peer {
  /** 32 hex characters, derived from the public key. */
  readonly id: string;
  /** In hex, as `mesh.allowlist.put` accepts it. */
  readonly publicKey: string;
  readonly state: PeerState;
  /** The keys that find and open other peers, as of the newest welcome; null if the mesh gives this peer none. */
  readonly discoveryKeys: DiscoveryKeys | null;
  /** Resolves at the first welcome; rejects with a `PeerError` if the mesh refuses the peer or it is closed before. */
  readonly ready: Promise<JoinedMesh>;
  /** Resolves after `close()`; rejects with a `PeerError` if the mesh has ended the peer for good. */
  readonly closed: Promise<void>;
  /** Submits tasks over the session, if this peer's role permits it. */
  readonly tasks: PeerTasks;
  /**
   * Replaces the peer's key. Record, allowlist entry and held tasks move to the new key, and the old key is barred.
   * Resolves with the new keys once the mesh has welcomed the peer under them. Store the new key before the call: the
   * old one is useless afterwards. Default: a newly generated key. Rejects with a `PeerError`: `rotation_failed`,
   * or `rotation_unknown` if the peer ends meanwhile.
   */
  rotate(newKey?: PrivateKey): Promise<KeyPair>;
  /**
   * Informs the mesh of other peers, at most 32 per call; the mesh accepts one advert per minute and answers with a
   * `sample` event. False if it was not sent: there is no active session, or the last advert was less than a minute ago. Throws an `OptionsError` if an entry is not valid.
   */
  advertise(peers: readonly KnownPeer[]): boolean;
  /**
   * Reports round-trip times to other peers, at most 16 per call; the mesh accepts one report per 10 s, and six at once. They
   * improve its estimates between peers. False if it was not sent: there is no active muster.2 session, or there were more. Throws an `OptionsError` if an entry is not
   * valid.
   */
  reportRtts(rtts: readonly MeasuredRtt[]): boolean;
  /**
   * Changes capabilities, kinds, slots or prefetch. Queued tasks that the peer now qualifies for can be offered at once. Changes
   * above one a second (30 at once) are joined and sent a moment later.
   */
  announce(changes: Announcement): void;
  /**
   * Leaves the mesh without losing work: no new task is accepted, what is not started goes back at once, and what runs may
   * finish until the time limit; what still runs then is released like by `close()`. Resolves once the socket is closed.
   */
  drain(options?: DrainPeerOptions): Promise<void>;
  /** Leaves the mesh at once: releases what runs, so that other peers get it, aborts the handlers and sends `disconnect`. Resolves once the socket is closed. */
  close(reason?: string): Promise<void>;
}
