import type { PeerId } from "../protocol/ids.ts";
import type { DialRef } from "../peers/dialling.ts";
import type { PayloadOf, TaskOffer } from "../protocol/messages.ts";

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

/**
 * What the Durable Object does once a command has committed. All of it may fail or be lost: leases end by themselves,
 * and what must happen stands in the outbox as well.
 */
export type Effect =
  | { readonly type: "offer"; readonly to: SessionRef; readonly offer: TaskOffer }
  | {
      readonly type: "cancel";
      readonly to: SessionRef;
      readonly taskId: string;
      readonly fence: number;
      readonly reason: string;
    }
  /** Tells a peer that a task which it gave has ended. */
  | {
      readonly type: "report";
      readonly to: SessionRef;
      readonly shown: PayloadOf<"task_shown">;
    }
  | { readonly type: "end_session"; readonly to: SessionRef; readonly fault: EndFault }
  | { readonly type: "dial"; readonly order: DialOrder }
  | { readonly type: "task_ended"; readonly taskId: string }
  | { readonly type: "drain_outbox" }
  | { readonly type: "drain_callbacks" };
