import type { PeerId } from "../protocol/ids.ts";
import type { DialRef } from "./dial.ts";

/** One session of one peer: the object that holds it, and the epoch that it was given. */
export interface SessionRef {
  readonly peerId: PeerId;
  readonly session: string;
  readonly epoch: number;
}

/** Why the coordinator ends a session: a part of `SessionFault`. */
export type EndCode =
  | "revoked"
  | "not_allowed"
  | "superseded"
  | "forgotten"
  | "rotated"
  | "mesh_full";
export interface EndFault {
  readonly code: EndCode;
  readonly detail: string;
}

/** Whether the caller is told only once such a session is gone. Who comes in does not wait for whose place it takes. */
export const isEndAwaited = ({ code }: EndFault): boolean =>
  code !== "superseded" && code !== "mesh_full";

/** One attempt to reach a peer that listens. */
export interface DialOrder {
  readonly dial: DialRef;
  readonly url: string;
  /** The only key, in hex, that is taken there; null for any. */
  readonly publicKey: string | null;
}
