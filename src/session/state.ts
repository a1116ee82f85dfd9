import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { Place } from "../base/place.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { GoP2pRequest, Role } from "../protocol/messages.ts";
import type { IdWindow } from "./id-window.ts";

/** Where a socket came from, as the platform told at the upgrade. */
export interface Origin {
  readonly address: string;
  readonly place: Place | null;
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
}

/** A ping of ours that waits for its pong; its ID is unpredictable, so only who opened it can answer it. */
export interface OutstandingPing {
  readonly id: string;
  readonly sentAt: Millis;
}

/** A go-p2p request that carries a task to a node without Muster's messages. */
export interface OutstandingRequest {
  readonly id: string;
  readonly type: GoP2pRequest;
  readonly taskId: string;
  readonly fence: number;
}

interface Keyed {
  readonly claim: Claim;
  /** Key of this session's frames. */
  readonly key: Bytes;
  /** Frames that did not decrypt and messages out of place, so far. */
  readonly strikes: number;
}

/** Connected; nothing is known yet and nothing stored. */
export interface Greeting {
  readonly state: "greeting";
  readonly origin: Origin;
}

/** The handshake is acknowledged; only the pong to this ping proves the key (an ack could be relayed). */
export interface Proving extends Keyed {
  readonly state: "proving";
  readonly origin: Origin;
  readonly ping: OutstandingPing;
}

/** Proved; the coordinator has been asked. */
export interface Admitting extends Keyed {
  readonly state: "admitting";
  readonly floor: Millis;
  readonly rttMs: number;
}

export interface Active extends Keyed {
  readonly state: "active";
  readonly epoch: number;
  readonly since: Millis;
  readonly window: IdWindow;
  readonly ping: OutstandingPing | null;
  readonly pingedAt: Millis;
  /** Pings in a row that went unanswered. */
  readonly missed: number;
  /** Smoothed round-trip time in milliseconds. */
  readonly rttMs: number;
  /** What the coordinator was last told, and when: it need not hear of every pong. */
  readonly told: { readonly at: Millis; readonly rttMs: number };
  readonly requests: readonly OutstandingRequest[];
}

/** Over. `claim` stays, so that an admission still under way can be taken back. */
export interface Closed {
  readonly state: "closed";
  readonly claim: Claim | null;
}

export type Session = Greeting | Proving | Admitting | Active | Closed;

export const newSession = (origin: Origin): Greeting => ({ state: "greeting", origin });
