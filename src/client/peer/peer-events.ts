import type { PayloadOf, Role } from "../../protocol/messages.ts";
import type { PeerError } from "../errors.ts";

/** The mesh that a peer has joined. */
export type JoinedMesh = PayloadOf<"welcome">["mesh"];

/** What a peer tells its program through `onEvent`. */
export type PeerEvent =
  | { readonly type: "connecting"; readonly url: string; readonly failures: number }
  /** The mesh said welcome: work can come. Again after each reconnect. */
  | {
      readonly type: "ready";
      readonly peerId: string;
      readonly epoch: number;
      readonly role: Role;
      readonly mesh: JoinedMesh;
    }
  /** The mesh does not let the peer in; the socket closes behind it. */
  | { readonly type: "rejected"; readonly code: string; readonly reason: string }
  /** The peer has a new key, and is welcome under it. */
  | { readonly type: "rotated"; readonly peerId: string }
  /** The socket is gone; the peer dials again in `retryInMs`. */
  | {
      readonly type: "disconnected";
      readonly code: number;
      readonly reason: string;
      readonly retryInMs: number;
    }
  /** The mesh answers an advert: IDs of pointers to a few peers worth knowing. */
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
      readonly attempt: number;
    }
  | { readonly type: "task_succeeded"; readonly taskId: string; readonly kind: string }
  | {
      readonly type: "task_failed";
      readonly taskId: string;
      readonly kind: string;
      readonly error: string;
      readonly retry: boolean;
    }
  | {
      readonly type: "task_cancelled";
      readonly taskId: string;
      readonly kind: string;
      readonly reason: string;
    }
  /** The mesh refused a message: often a result whose lease is over. */
  | {
      readonly type: "mesh_error";
      readonly code: number;
      readonly message: string;
      readonly replyTo: string | undefined;
    }
  /** A frame was dropped: replayed, misaddressed, not decipherable, or not understood. */
  | { readonly type: "frame_ignored"; readonly reason: string }
  /** The peer has ended: by `close()`, or for good by the mesh. */
  | { readonly type: "closed"; readonly error: PeerError | undefined };

export type PeerEventListener = (event: PeerEvent) => void;
