import type { Place } from "../base/place.ts";
import type { Protocol } from "../protocol/http.ts";
import type { GoP2pGeneration } from "../protocol/go-p2p-generation.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { HeldTask, Role } from "../protocol/messages.ts";
import type { DialRef } from "./dial.ts";

/** What a session knows about a peer that has just proved its key, when it asks for the peer's admission. */
export interface JoinRequest {
  readonly peerId: PeerId;
  /** X25519 public key in hex; the ID follows from it. */
  readonly publicKey: string;
  readonly name: string;
  readonly claimedRole: Role;
  readonly protocol: Protocol;
  /** Null over muster.2. Absent when a session of an older version sends it: then 1 over go-p2p. */
  readonly goP2pGeneration?: GoP2pGeneration | null | undefined;
  /** Whether the peer handles Muster's own messages; otherwise only go-p2p requests. */
  readonly speaksMuster: boolean;
  readonly capabilities: readonly string[];
  /** The kinds that it handles. Absent when a session of an older version sends it: then every kind. */
  readonly kinds?: readonly string[] | undefined;
  readonly slots: number;
  /** Absent when a session of an older version sends it. */
  readonly prefetch?: boolean | undefined;
  /** The tasks that the peer says it is still running; absent when it does not say. */
  readonly held?: readonly HeldTask[] | undefined;
  /** The address that the peer connected from; empty when the platform does not report it. */
  readonly address: string;
  readonly place: Place | null;
  /** Who said so: the name and date of a database. Absent: the platform. */
  readonly placeSource?: string | undefined;
  /** The autonomous system and the platform's location of the connection; empty when unknown. */
  readonly network: string;
  readonly colo: string;
  /** The connection's own RTT in milliseconds; null when the platform did not measure it. */
  readonly tcpRttMs: number | null;
  /** The proof's round-trip time in milliseconds. */
  readonly rttMs: number;
  /**
   * The join key that the peer presented; null when none, and always over go-p2p 1.0, which could not keep it secret.
   */
  readonly joinKey: string | null;
  /** Whether the session's object has found that the peer's older session does not answer a ping. */
  readonly olderSilent?: boolean | undefined;
  /** The dial attempt that led to this session, when the mesh dialed. */
  readonly dial?: DialRef;
}
