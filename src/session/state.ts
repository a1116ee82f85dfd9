import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { Place } from "../base/place.ts";
import type { DialRef } from "../peers/dial.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { GoP2pRequest, Reconnect, Role } from "../protocol/messages.ts";
import type { Liveness, OutstandingPing } from "../peers/liveness.ts";
import type { RttEstimate } from "../scoring/rtt.ts";
import type { NoiseState } from "../crypto/noise.ts";
import type { TokenBucket } from "./rate-limit.ts";
import type { Channel } from "./channel.ts";

/** Where a socket came from, as the platform told at the upgrade. */
export interface Origin {
  readonly address: string;
  readonly place: Place | null;
  /** The autonomous system (`AS` + number) and the platform's location that the socket came by; empty when unknown. */
  readonly network: string;
  readonly colo: string;
  /** The connection's own RTT in milliseconds, as the platform measured it; null when it did not. */
  readonly tcpRttMs: number | null;
  /** ID of the mesh's key that the peer asked for: there are two while the mesh rotates. */
  readonly meshId: PeerId;
  /** The attempt that led to this socket, when the mesh dialled; `address` is where then. */
  readonly dial?: DialRef;
}

/** What a peer said of itself in its handshake; true of it only once it has proved its key. */
export interface Claim {
  readonly peerId: PeerId;
  /** X25519 public key in hex. */
  readonly publicKey: string;
  readonly name: string;
  readonly role: Role;
  readonly speaksMuster: boolean;
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly prefetch: boolean;
}

/** A go-p2p request that carries a task to a node without Muster's messages. */
export interface TaskRequest {
  readonly id: string;
  readonly type: GoP2pRequest;
  readonly taskId: string;
  readonly fence: number;
}

/** A go-p2p request that somebody waits for at this session's object. */
export interface RelayedRequest {
  readonly id: string;
  readonly type: GoP2pRequest;
}

interface Keyed {
  readonly claim: Claim;
  readonly origin: Origin;
  readonly channel: Channel;
  /** Frames that did not decrypt and messages out of place, so far. */
  readonly strikes: number;
}

/** Connected by go-p2p 1.0; nothing is known yet and nothing stored. */
export interface Greeting {
  readonly state: "greeting";
  readonly origin: Origin;
}

/** The mesh dialled, so that it is who greets; nothing is known of the peer yet, but what is expected. */
export interface Dialing {
  readonly state: "dialing";
  readonly origin: Origin;
  /** The only key, in hex, that is taken; null for any. */
  readonly expectedKey: string | null;
  /** What the peer has to answer; null until the handshake was sent. */
  readonly challenge: Bytes | null;
}

/** A muster.2 handshake between its messages. The gateway has checked that the peer's ID is its key's. */
export interface Noise {
  readonly state: "noise";
  readonly origin: Origin;
  /** Whose key message 3 must prove. */
  readonly peerId: PeerId;
  readonly noise: NoiseState;
  /** When our message left, for the first RTT. */
  readonly sentAt: Millis;
}

/** The handshake is acknowledged; only the pong to this ping proves the key (an ack could be relayed). */
export interface Proving extends Keyed {
  readonly state: "proving";
  readonly ping: OutstandingPing;
}

/** Proved; the coordinator has been asked. */
export interface Admitting extends Keyed {
  readonly state: "admitting";
  readonly rttMs: number;
}

export interface Active extends Keyed {
  readonly state: "active";
  readonly epoch: number;
  readonly since: Millis;
  readonly liveness: Liveness;
  readonly rtt: RttEstimate;
  readonly bucket: TokenBucket;
  /** The last observation that the coordinator was told of: its number, when, and the smoothed RTT in it. */
  readonly reported: { readonly seq: number; readonly at: Millis; readonly smoothedMs: number };
  readonly taskRequests: readonly TaskRequest[];
  readonly relayedRequests: readonly RelayedRequest[];
  /** The peer's turn when many come back at once. */
  readonly reconnect: Reconnect;
  /** When it last told of other peers. */
  readonly advertAt: Millis | null;
}

/** Over. `claim` stays, so that an admission still under way can be taken back. */
export interface Closed {
  readonly state: "closed";
  readonly claim: Claim | null;
}

export type Session = Greeting | Dialing | Noise | Proving | Admitting | Active | Closed;

/** A socket that speaks go-p2p 1.0. */
export const newGoP2pSession = (origin: Origin): Greeting => ({ state: "greeting", origin });

/** Whether the peer has yet to prove its key: then there is a deadline, and nothing is stored. */
export const isHandshaking = ({ state }: Session): boolean =>
  state === "greeting" || state === "dialing" || state === "noise" || state === "proving";
