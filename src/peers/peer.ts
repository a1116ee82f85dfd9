import type { Millis } from "../base/clock.ts";
import type { Region } from "../protocol/discovery.ts";
import type { PeerState, Protocol } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import type { Flaps } from "./damping.ts";
import type { RttEstimate } from "../scoring/rtt.ts";

/** A peer as the registry keeps it. Metrics that were never measured are null: unknown is not zero. */
export interface Peer {
  readonly id: PeerId;
  readonly name: string;
  /** X25519 public key in hex. */
  readonly publicKey: string;
  /** Where it last connected from; empty when unknown. */
  readonly address: string;
  /** The autonomous system and the platform's location that it last came by; empty when unknown. */
  readonly network: string;
  readonly colo: string;
  readonly role: Role;
  readonly addedAt: Millis;
  /** When the coordinator last heard of it; of a peer that is here this lags by up to an hour. */
  readonly lastSeen: Millis | null;
  readonly state: PeerState;
  /** When it came into this state. */
  readonly since: Millis;
  readonly flaps: Flaps;
  /** When it fell silent; null while it is heard of. */
  readonly silentAt: Millis | null;
  /** Of the newest session; grows by one with each. 0 before the first. */
  readonly epoch: number;
  /** Of the newest observation that its session told: an older one that comes late changes nothing. */
  readonly seq: number;
  /** Name of the object that holds the newest session; null while there is none. */
  readonly session: string | null;
  readonly protocol: Protocol | null;
  /** Whether this key has ever proved itself by muster.2: then 1.0, which is weaker, is a downgrade. */
  readonly spokeMuster2: boolean;
  /** Whether it speaks Muster's own messages; otherwise it takes only go-p2p requests. */
  readonly speaksMuster: boolean;
  readonly mayAssign: boolean;
  readonly capabilities: readonly string[];
  readonly slots: number;
  /** Whether it takes one task more than it has slots, which waits there. */
  readonly prefetch: boolean;
  /** Attempts that it holds now. */
  readonly held: number;
  readonly rtt: RttEstimate | null;
  /** Its last connection's own RTT in milliseconds, as the platform measured it. */
  readonly tcpRttMs: number | null;
  readonly hops: number | null;
  /** Great-circle distance to the mesh in kilometres. */
  readonly geoKm: number | null;
  /** Where it connected from, coarsely. */
  readonly region: Region | null;
  readonly successes: number;
  readonly failures: number;
  /** Kept with the record, so that the best can be asked of an index. */
  readonly score: number;
}
