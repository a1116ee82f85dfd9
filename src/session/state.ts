import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { TokenBucket } from "../base/token-bucket.ts";
import type { Place } from "../base/place.ts";
import type { DialRef } from "../peers/dial.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { GoP2pRequest, Reconnect, Role } from "../protocol/messages.ts";
import type { Liveness, OutstandingPing } from "../peers/liveness.ts";
import type { RttEstimate } from "../scoring/rtt.ts";
import type { NoiseState } from "../crypto/noise.ts";
import type { TaskCredit } from "./task-credit.ts";
import type { Channel } from "./channel.ts";
import type { MessageBuckets } from "./message-limits.ts";

/** Where a socket came from, as it was known at the upgrade. */
export interface Origin {
  readonly address: string;
  readonly place: Place | null;
  /** Who said so: the name and date of a database. Absent: the platform. */
  readonly placeSource?: string | undefined;
  /** The autonomous system (`AS` + number), and the platform location that accepted the socket; empty when unknown. */
  readonly network: string;
  readonly colo: string;
  /** The TCP connection's RTT in milliseconds; null when the platform did not measure it. */
  readonly tcpRttMs: number | null;
  /** ID of the mesh key that the peer connected to: the mesh has two while it rotates its key. */
  readonly meshId: PeerId;
  /** The dial attempt that opened this socket, when the mesh dialed; `address` is then the URL that was dialed. */
  readonly dial?: DialRef;
}

/** What a peer said about itself in its handshake; not trusted until the peer has proved its key. */
export interface Claim {
  readonly peerId: PeerId;
  /** X25519 public key in hex. */
  readonly publicKey: string;
  readonly name: string;
  readonly role: Role;
  readonly speaksMuster: boolean;
  readonly capabilities: readonly string[];
  readonly kinds: readonly string[];
  readonly slots: number;
  readonly prefetch: boolean;
}

/** A go-p2p request that carries a task to a node without Muster's messages. */
interface TaskRequest {
  readonly id: string;
  readonly type: GoP2pRequest;
  readonly taskId: string;
  readonly fence: number;
}

/** A go-p2p request from the HTTP API, whose caller waits for the reply at this session's object. */
interface RelayedRequest {
  readonly id: string;
  readonly type: GoP2pRequest;
}

interface Keyed {
  readonly claim: Claim;
  readonly origin: Origin;
  readonly channel: Channel;
  /** How many frames did not decrypt, or held a message that an honest peer does not send. */
  readonly strikes: number;
}

/** Connected by go-p2p 1.0. Nothing is known yet, and nothing stored. */
export interface Greeting {
  readonly state: "greeting";
  readonly origin: Origin;
}

/** The mesh dialed, so it sends the handshake. Nothing is known of the peer yet but which key is expected. */
export interface Dialing {
  readonly state: "dialing";
  readonly origin: Origin;
  /** The only key, in hex, that is accepted; null when any is. */
  readonly expectedKey: string | null;
  /** The challenge that the peer must answer; null until the handshake was sent. */
  readonly challenge: Bytes | null;
}

/** In the muster.2 handshake. The gateway has verified a proof for the peer ID in the URL. */
export interface Noise {
  readonly state: "noise";
  readonly origin: Origin;
  /** The peer whose key message 3 must prove. */
  readonly peerId: PeerId;
  readonly noise: NoiseState;
  /** When message 2 was sent, for the first RTT sample. */
  readonly sentAt: Millis;
}

/** The handshake is acknowledged. Only the pong to this ping proves the key: an ack could be relayed. */
export interface Proving extends Keyed {
  readonly state: "proving";
  readonly ping: OutstandingPing;
}

/** The key is proved; the coordinator has been asked to admit the peer. */
export interface Admitting extends Keyed {
  readonly state: "admitting";
  readonly rttMs: number;
  /** When the coordinator was asked; absent in a session of an older version. */
  readonly askedAt?: Millis;
}

export interface Active extends Keyed {
  readonly state: "active";
  readonly epoch: number;
  readonly since: Millis;
  readonly liveness: Liveness;
  readonly rtt: RttEstimate;
  readonly bucket: TokenBucket;
  readonly credit: TaskCredit;
  /** The last observation that was sent to the coordinator: its number, its time, and its smoothed RTT. */
  readonly reported: { readonly seq: number; readonly at: Millis; readonly smoothedMs: number };
  readonly taskRequests: readonly TaskRequest[];
  readonly relayedRequests: readonly RelayedRequest[];
  /** The peer's position when many peers reconnect at once. */
  readonly reconnect: Reconnect;
  /** What is left of the limits by message type; absent in a session from before there were any. */
  readonly buckets?: MessageBuckets;
}

/** Ended. The claim is kept, so that an admission that is answered later can be taken back. */
interface Closed {
  readonly state: "closed";
  readonly claim: Claim | null;
}

export type Session = Greeting | Dialing | Noise | Proving | Admitting | Active | Closed;

/** The session of a new go-p2p 1.0 socket. */
export const newGoP2pSession = (origin: Origin): Greeting => ({ state: "greeting", origin });

/** Whether the peer has not proved its key yet: the handshake has a deadline, and nothing is stored. */
export const isHandshaking = ({ state }: Session): boolean =>
  state === "greeting" || state === "dialing" || state === "noise" || state === "proving";
