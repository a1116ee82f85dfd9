import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { DialRef } from "./dial.ts";

/** One session of one peer: the ID of the object that holds it, and its epoch. */
export interface SessionRef {
  readonly peerId: PeerId;
  readonly session: string;
  readonly epoch: number;
}

/** Why the coordinator ends a session: a subset of the codes of `SessionFault`. */
export type EndCode =
  | "revoked"
  | "not_allowed"
  | "superseded"
  | "forgotten"
  | "rotated"
  | "mesh_full"
  | "drained"
  | "mesh_restarting";
export interface EndFault {
  readonly code: EndCode;
  readonly detail: string;
  /** Seconds after which the peer may return, before its position in the reconnect order counts. */
  readonly retryAfter?: number;
}

/**
 * Whether the command that ends the session answers only when the session has confirmed its end. An admission does not wait for
 * the session that it replaces.
 */
export const isEndAwaited = ({ code }: EndFault): boolean =>
  code !== "superseded" && code !== "mesh_full" && code !== "drained";

/** The operator drains the peer. */
export interface DrainOrder {
  readonly reason: string;
  /** How long the running tasks may take. */
  readonly timeoutMs: Millis;
}

/** One attempt to dial a peer that listens. */
export interface DialOrder {
  readonly dial: DialRef;
  readonly url: string;
  /** The only key, in hex, that is accepted there; null when any is. */
  readonly publicKey: string | null;
}
