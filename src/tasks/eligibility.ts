import type { Requirements } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import { GO_P2P_KIND, GO_P2P_REPLIES, type Role } from "../protocol/messages.ts";

/** A peer as assignment sees it. */
export interface Candidate {
  readonly peerId: PeerId;
  readonly role: Role;
  /** Connected and answering; a suspect peer gets nothing new. */
  readonly active: boolean;
  readonly speaksMuster: boolean;
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly held: number;
  readonly score: number;
}

/** A task as assignment sees it. */
export interface Demand {
  readonly kind: string;
  readonly requirements: Requirements;
  /** Peers that tried this task and failed: taken again only when nobody else can. */
  readonly tried: ReadonlySet<PeerId>;
  /** Peers that lately refused it: not asked again for now. */
  readonly refused: ReadonlySet<PeerId>;
}

export type Exclusion =
  | "not_active"
  | "controller"
  | "other_peer_named"
  | "kind_not_spoken"
  | "capability_missing"
  | "score_too_low"
  | "refused"
  | "no_room";

/** Why this peer may not have this task now, by the first rule that rules it out; null when it may. */
export function exclusion(task: Demand, peer: Candidate): Exclusion | null {
  const { capabilities, peer_id: named, min_score: minScore } = task.requirements;
  if (!peer.active) return "not_active";
  if (peer.role === "controller") return "controller";
  if (named !== undefined && named !== peer.peerId) return "other_peer_named";
  if (!peer.speaksMuster && !isGoP2pRequest(task.kind)) return "kind_not_spoken";
  if (!capabilities.every((wanted) => peer.capabilities.includes(wanted)))
    return "capability_missing";
  if (minScore !== undefined && peer.score < minScore) return "score_too_low";
  if (task.refused.has(peer.peerId)) return "refused";
  if (peer.held >= peer.slots) return "no_room";
  return null;
}

/** Whether a kind is one of go-p2p's requests, which a plain go-p2p node can answer. */
export const isGoP2pRequest = (kind: string): boolean =>
  kind.startsWith(GO_P2P_KIND) && Object.hasOwn(GO_P2P_REPLIES, kind.slice(GO_P2P_KIND.length));
