import type { AlertSubject } from "./alert-types.ts";
import type { PeerState, Scheduling } from "./http/peers.ts";
import type { TaskState } from "./http/tasks.ts";
import type { PeerId } from "./ids.ts";

/** A task entered a state, or its peer reported progress. */
export interface TaskEvent {
  readonly type: `task.${TaskState}` | "task.progress";
  readonly task: string;
  readonly kind: string;
  readonly owner: string;
  readonly peer: PeerId | null;
  readonly fence: number;
  readonly state: TaskState;
  /** Null for a new task. */
  readonly previous: TaskState | null;
  readonly progress: number | null;
  readonly message: string | null;
}

/** A peer entered a state, or its scheduling changed. */
export interface PeerEvent {
  readonly type: `peer.${PeerState}` | "peer.scheduling";
  readonly peer: PeerId;
  readonly name: string;
  readonly state: PeerState;
  /** Null for a new peer. */
  readonly previous: PeerState | null;
  readonly scheduling: Scheduling;
  /** Whether the peer drains itself. */
  readonly leaving: boolean;
}

/** A peer's record was removed, or its key was added to a list or removed from it. */
interface AdmissionEvent {
  readonly type:
    | "peer.removed"
    | "allowlist.added"
    | "allowlist.removed"
    | "denylist.added"
    | "denylist.removed";
  readonly peer: PeerId;
}

/** The circuit of a peer, or of a peer and a kind, opened or closed. */
interface CircuitEvent {
  readonly type: "circuit.opened" | "circuit.closed";
  readonly peer: PeerId;
  /** Null for the circuit of the whole peer. */
  readonly kind: string | null;
}

/** An alert fires, or has ended (docs/alerts.md). */
interface AlertEvent extends Omit<AlertSubject, "cell"> {
  readonly type: "alert.firing" | "alert.resolved";
  readonly key: string;
  readonly cell?: number;
  /** Since when something is wrong; RFC 3339. */
  readonly since: string;
  /** What was measured when it fired, and the setting that it is compared with. */
  readonly value: number;
  readonly threshold: number;
  readonly message: string;
}

/** A change that the mesh committed. It names its subjects and holds no payload, result or secret. */
export type MeshEvent = TaskEvent | PeerEvent | AdmissionEvent | CircuitEvent | AlertEvent;
