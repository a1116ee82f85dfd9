import type { AdvertisedPeer } from "../peers/advertised-peer.ts";
import type { Millis } from "../base/clock.ts";
import type {
  MapView,
  PairRttView,
  PeerSelection,
  PeerState,
  PeerView,
  ScheduledPeers,
  ScoreView,
} from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { GoP2pRequest, Role } from "../protocol/messages.ts";
import type { CallersOf } from "./caller.ts";
import type { SessionInput, Empty, PageInput } from "./inputs.ts";
import type { SessionRef } from "../peers/session-orders.ts";

/** What is known of peers: measurements, scores, other peers that they advertise. */
export interface PeerCommands {
  /** Round trips that the peer measured to other peers. */
  report_rtts: {
    caller: "session";
    input: SessionInput & {
      readonly rtts: readonly { readonly to: PeerId; readonly rttMs: number }[];
    };
    output: Empty;
  };
  /** Other peers that the peer advertises; the answer is a sample of pointer IDs. */
  hear_advert: {
    caller: "session";
    input: SessionInput & { readonly peers: readonly AdvertisedPeer[] };
    output: { readonly pointers: readonly string[] };
  };

  get_peer: { caller: "gateway"; input: { readonly id: PeerId }; output: PeerView };
  get_score: { caller: "gateway"; input: { readonly id: PeerId }; output: ScoreView };
  get_rtt: {
    caller: "gateway";
    input: { readonly id: PeerId; readonly other: PeerId };
    output: PairRttView;
  };
  get_map: { caller: "gateway"; input: Empty; output: MapView };
  list_peers: {
    caller: "gateway";
    input: PageInput & { readonly state?: PeerState | undefined; readonly role?: Role | undefined };
    output: { readonly peers: PeerView[]; readonly next_cursor: string | null };
  };
  /** The peer's session: it drains, and takes no new tasks until the session ends. */
  peer_drains: { caller: "session"; input: SessionInput; output: Empty };
  /** Cordons, uncordons or drains one peer, or those that meet the conditions. */
  schedule_peer: {
    caller: "gateway";
    input: Scheduled & { readonly id: PeerId };
    output: PeerView;
  };
  schedule_peers: {
    caller: "gateway";
    input: Scheduled & {
      readonly select: PeerSelection;
      readonly dryRun: boolean;
      readonly cursor?: PeerId | undefined;
    };
    output: ScheduledPeers;
  };
  /** Closes every circuit of a peer. */
  reset_circuits: { caller: "gateway"; input: { readonly id: PeerId }; output: PeerView };
  /** The session to which a go-p2p request to this peer is sent. */
  request_peer: {
    caller: "gateway";
    input: { readonly id: PeerId; readonly type: GoP2pRequest };
    output: SessionRef;
  };
}

/** What the operator wants of peers. */
type Scheduled =
  | { readonly action: "cordon" | "uncordon" }
  | {
      readonly action: "drain";
      /** How long the running tasks may take. */
      readonly timeoutMs: Millis;
    };

export const PEER_CALLERS: CallersOf<PeerCommands> = {
  report_rtts: "session",
  hear_advert: "session",
  get_peer: "gateway",
  get_score: "gateway",
  get_rtt: "gateway",
  get_map: "gateway",
  list_peers: "gateway",
  peer_drains: "session",
  schedule_peer: "gateway",
  schedule_peers: "gateway",
  reset_circuits: "gateway",
  request_peer: "gateway",
};
