import type { PayloadOf, Role } from "../../protocol/messages.ts";
import type { RouteTool } from "../../protocol/route.ts";
import type { ConnectFailure } from "../connection/connect-failure.ts";
import type { PeerError } from "../errors.ts";

/** The mesh that a peer has joined: its name and public keys. */
export type JoinedMesh = PayloadOf<"welcome">["mesh"];

/** What `onEvent` of a peer receives. */
export type PeerEvent =
  /** A dial begins, after `failures` failures in a row. */
  | { readonly type: "connecting"; readonly url: string; readonly failures: number }
  /** The mesh said welcome: tasks can be offered. Again after each reconnect. */
  | {
      readonly type: "ready";
      readonly peerId: string;
      readonly epoch: number;
      readonly role: Role;
      readonly mesh: JoinedMesh;
    }
  /** The mesh does not admit the peer, and closes the socket next. */
  | { readonly type: "rejected"; readonly code: string; readonly reason: string }
  /** The peer has a new key and was welcomed under it. */
  | { readonly type: "rotated"; readonly peerId: string }
  /** The connection ended; the peer dials again after `retryInMs` milliseconds. */
  | {
      readonly type: "disconnected";
      /** The WebSocket close code. */
      readonly code: number;
      readonly reason: string;
      readonly retryInMs: number;
      /** Why no session began; undefined after a session, and if the reason is not known. */
      readonly failure?: ConnectFailure;
    }
  /**
   * Another process uses this peer's key: give each process a key of its own. The peer tries again after `retryInMs`, and each
   * time after a longer pause, so that the two do not end each other's sessions in turn.
   */
  | { readonly type: "key_in_use"; readonly reason: string; readonly retryInMs: number }
  /** The peer drains, by its own decision or the operator's: it takes nothing new, and closes when what runs has ended. */
  | {
      readonly type: "draining";
      readonly by: "peer" | "mesh";
      readonly reason: string;
      /** How long that may take. */
      readonly timeoutMs: number;
    }
  /** The hops to the mesh were measured and reported to it. */
  | { readonly type: "route_measured"; readonly hops: number; readonly tool: RouteTool }
  /** The mesh's answer to an advert: pointer IDs of a few other peers. */
  | { readonly type: "sample"; readonly pointers: readonly string[] }
  | {
      readonly type: "task_refused";
      readonly taskId: string;
      readonly kind: string;
      readonly reason: string;
    }
  | {
      readonly type: "task_started";
      readonly taskId: string;
      readonly kind: string;
      /** 1 for the first attempt of the task, on whichever peer. */
      readonly attempt: number;
    }
  /** The mesh has committed the result. */
  | { readonly type: "task_succeeded"; readonly taskId: string; readonly kind: string }
  /** The handler failed, or its attempt timed out, and the mesh has recorded it. */
  | {
      readonly type: "task_failed";
      readonly taskId: string;
      readonly kind: string;
      readonly error: string;
      /** Whether the mesh may try the task again. */
      readonly retry: boolean;
    }
  /**
   * The attempt ended otherwise: the mesh cancelled it or has given the task to another peer, the peer closes, or the mesh
   * refused the result, for example because it came after the lease.
   */
  | {
      readonly type: "task_cancelled";
      readonly taskId: string;
      readonly kind: string;
      readonly reason: string;
    }
  /**
   * A handler still runs 5 s after its attempt has ended, and occupies a slot until it settles: it should stop when its
   * `signal` aborts.
   */
  | {
      readonly type: "handler_unsettled";
      readonly taskId: string;
      readonly kind: string;
      /** How many handlers run at present although their attempts have ended. */
      readonly unsettled: number;
    }
  /**
   * Something, most likely a handler, blocked the event loop of the peer for this long: meanwhile no lease was renewed and no
   * ping answered. `handlersModule` runs handlers in threads of their own.
   */
  | { readonly type: "loop_blocked"; readonly blockedMs: number }
  /** The mesh refused a message, for example a result whose lease had expired. */
  | {
      readonly type: "mesh_error";
      /** A go-p2p error code. */
      readonly code: number;
      readonly message: string;
      /** ID of the refused message. */
      readonly replyTo: string | undefined;
    }
  /** A frame was dropped: a replay, addressed to another peer, unreadable, or not valid. */
  | { readonly type: "frame_ignored"; readonly reason: string }
  /** The peer has ended: after `close()` without an error, or refused by the mesh. */
  | { readonly type: "closed"; readonly error: PeerError | undefined };

export type PeerEventListener = (event: PeerEvent) => void;

/** An exception of the program's listener must not break the session: it becomes an uncaught exception instead. */
export function notify(listener: PeerEventListener | undefined, event: PeerEvent): void {
  try {
    listener?.(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
