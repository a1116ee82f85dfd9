import type { Millis } from "../base/clock.ts";
import type { Requirements } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { ServiceTime } from "../scoring/service-time.ts";
import type { CircuitState } from "./circuit.ts";
import type { Evidence } from "./evidence.ts";
import { handlesKind, type Role } from "../protocol/messages.ts";
import { meets } from "./capabilities.ts";

/** A peer as the choice sees it. */
export interface Candidate {
  readonly peerId: PeerId;
  readonly role: Role;
  /** Connected and answering. A suspect peer gets no new tasks. */
  readonly active: boolean;
  /** Whether it gets no new tasks, because it is cordoned or drains. Absent (in older stored choices): no. */
  readonly cordoned?: boolean;
  /** The kinds of task that it handles; `*` stands for every kind. */
  readonly kinds: readonly string[];
  readonly capabilities: readonly string[];
  readonly slots: number;
  /** How many slots its service times show it to serve at once: see `earnedSlots`. Absent: as many as it announces. */
  readonly earnedSlots?: number;
  /** Whether it prefetches one task more than it has slots, and begins it as soon as a slot is free. */
  readonly prefetch: boolean;
  readonly held: number;
  readonly score: number;
  readonly evidence: Evidence;
  /** Of the peer for this kind. Absent (in choices stored before circuits existed): closed. */
  readonly circuit?: CircuitState;
  /**
   * Whether it became active only after the task was lost, a moment ago: whoever had begun the task may be about to return, too.
   */
  readonly returning?: boolean;
  /** Whether it gets one task at a time (`isProbed`) and holds one. */
  readonly probing?: boolean;
}

/** A task as the choice sees it. */
export interface Demand {
  readonly kind: string;
  readonly requirements: Requirements;
  /** Peers that failed at this task: chosen again only when no other peer could take it. */
  readonly tried: ReadonlySet<PeerId>;
  /**
   * Whether a connected peer that has not failed at the task could take it, now or once it has a free slot. Peers that
   * failed at the task are then excluded. Absent: only the candidates decide.
   */
  readonly othersCouldTake?: boolean;
  /** Whether over half of all capable peers rest (`isPanic`): circuits then only limit a resting peer to one task. */
  readonly panic?: boolean;
  /**
   * When the task was last lost by a peer that had begun it and has not returned; absent while there is none. And the peers
   * that lost it.
   */
  readonly lost?: { readonly at: Millis; readonly by: readonly PeerId[] };
  /** Peers that recently refused the task: not offered it again for now. */
  readonly refused: ReadonlySet<PeerId>;
  /** How long tasks of this kind take over all peers; null while none was done. */
  readonly service: ServiceTime | null;
  /** The peer that got the last task of this kind: kept unless another is clearly better. */
  readonly incumbent: PeerId | null;
}

/** How many tasks a peer runs at once: as many as it announces, and no more than it has earned. */
export const usableSlots = ({
  slots,
  earnedSlots = slots,
}: Pick<Candidate, "slots" | "earnedSlots">): number => Math.min(slots, earnedSlots);

/** Whether the peer has a free slot. */
export const hasSlot = (peer: Pick<Candidate, "held" | "slots" | "earnedSlots">): boolean =>
  peer.held < usableSlots(peer);

export type Exclusion =
  | "not_active"
  | "cordoned"
  | "controller"
  | "other_peer_named"
  | "avoided"
  | "other_role"
  | "kind_not_handled"
  | "capability_missing"
  | "score_too_low"
  | "refused"
  | "others_may_return"
  | "failed_here"
  | "circuit_open"
  | "probe_running"
  | "no_room";

/** The first rule that excludes this peer from this task; null when the peer may have it. */
export function exclusion(task: Demand, peer: Omit<Candidate, "evidence">): Exclusion | null {
  const { capabilities, peer_id: named, avoid, role, min_score: minScore } = task.requirements;
  if (!peer.active) return "not_active";
  if (peer.cordoned === true) return "cordoned";
  if (peer.role === "controller") return "controller";
  if (named !== undefined && named !== peer.peerId) return "other_peer_named";
  if (avoid?.includes(peer.peerId) === true) return "avoided";
  if (role !== undefined && role !== peer.role) return "other_role";
  if (!handlesKind(peer.kinds, task.kind)) return "kind_not_handled";
  if (!capabilities.every((wanted) => meets(peer.capabilities, wanted)))
    return "capability_missing";
  if (minScore !== undefined && peer.score < minScore) return "score_too_low";
  if (task.refused.has(peer.peerId)) return "refused";
  if (peer.returning === true) return "others_may_return";
  if (task.othersCouldTake === true && task.tried.has(peer.peerId)) return "failed_here";
  if (peer.circuit === "refusing") return "circuit_open";
  if (peer.circuit === "open" && task.panic !== true) return "circuit_open";
  if (peer.probing === true) return "probe_running";
  if (peer.held >= placesOf(peer)) return "no_room";
  return null;
}

/** Whether the peer's circuit is not closed: it gets one task at a time, if any. */
export const isResting = ({ circuit = "closed" }: Pick<Candidate, "circuit">): boolean =>
  circuit !== "closed";

/** How many tasks a peer may hold: one per usable slot, and one more if it prefetches. */
export const placesOf = (peer: Pick<Candidate, "slots" | "earnedSlots" | "prefetch">): number =>
  usableSlots(peer) === 0 ? 0 : usableSlots(peer) + Number(peer.prefetch);
