import type { Millis } from "../base/clock.ts";
import type { Region } from "../protocol/discovery.ts";
import type { PeerState, Protocol } from "../protocol/http.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import type { Flaps } from "./damping.ts";
import type { PeerScheduling } from "./scheduling.ts";
import type { RttEstimate } from "../scoring/rtt.ts";

/** A peer's record. Metrics that were never measured are null: unknown is not zero. */
export interface Peer {
  readonly id: PeerId;
  readonly name: string;
  /** X25519 public key in hex. */
  readonly publicKey: string;
  /** The address that it last connected from; empty when unknown. */
  readonly address: string;
  /** The autonomous system and the platform's location of its last connection; empty when unknown. */
  readonly network: string;
  readonly colo: string;
  readonly role: Role;
  readonly addedAt: Millis;
  /** When the coordinator last had a sign of life. For a connected peer this lags by up to an hour. */
  readonly lastSeen: Millis | null;
  readonly state: PeerState;
  /** When it entered this state. */
  readonly since: Millis;
  readonly flaps: Flaps;
  /** Whether it gets new tasks. */
  readonly scheduling: PeerScheduling;
  /** When it fell silent; null while it is not. */
  readonly silentAt: Millis | null;
  /** When its connection was lost without a goodbye of either side, or the end of the pause that a mesh gave it which restarts; null once it is back. */
  readonly lostAt: Millis | null;
  /** Epoch of the newest session. It grows by one with each session; 0 before the first. */
  readonly epoch: number;
  /** Number of its session's newest observation. An older one that comes late changes nothing. */
  readonly seq: number;
  /** ID of the object that holds the newest session; null while there is none. */
  readonly session: string | null;
  /** Whether the newest session took the peer over from a session that was connected. */
  readonly tookOver: boolean;
  readonly protocol: Protocol | null;
  /** The generation of go-p2p that its newest session speaks; null over muster.2, and before the first session. */
  readonly goP2pGeneration: GoP2pGeneration | null;
  /** Whether this key has ever spoken muster.2. Then go-p2p 1.0, which is weaker, is a downgrade. */
  readonly spokeMuster2: boolean;
  /** Whether it handles Muster's own messages; otherwise only go-p2p requests. */
  readonly speaksMuster: boolean;
  readonly mayAssign: boolean;
  readonly capabilities: readonly string[];
  /** The kinds of task that it handles; `*` stands for every kind. */
  readonly kinds: readonly string[];
  readonly slots: number;
  /** How many slots its service times show it to serve at once: see `earnedSlots`. */
  readonly earnedSlots: number;
  /** Whether it prefetches one task more than it has slots. */
  readonly prefetch: boolean;
  /** Attempts that it holds now. */
  readonly held: number;
  readonly rtt: RttEstimate | null;
  /** Its last connection's own RTT in milliseconds, as the platform measured it. */
  readonly tcpRttMs: number | null;
  readonly hops: number | null;
  /** Great-circle distance to the mesh in kilometers. */
  readonly geoKm: number | null;
  /** The coarse region that it connected from. */
  readonly region: Region | null;
  readonly successes: number;
  readonly failures: number;
  /** Stored with the record, so that an index can order by it. */
  readonly score: number;
}
