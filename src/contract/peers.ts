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
import type { Observed } from "../scoring/pair-rtt.ts";
import type { Coordinate } from "../scoring/vivaldi.ts";
import type { PeerPlace } from "../scoring/peer-map.ts";
import type { SessionInput, Empty, PageInput, PageOutput } from "./inputs.ts";
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
    /** `half`: set by a route that asks the cells of both peers, never by a caller: what the cell knows of `id` alone. */
    input: { readonly id: PeerId; readonly other: PeerId; readonly half?: boolean };
    output: PairRttView & { readonly half?: RttHalf };
  };
  get_map: {
    caller: "gateway";
    /** `places`: set by a route that makes one map of those of several cells, never by a caller: the cell gives as many places instead. */
    input: { readonly places?: number };
    output: MapView & { readonly places?: readonly PeerPlace[] };
  };
  list_peers: {
    caller: "gateway";
    input: PageInput & { readonly state?: PeerState | undefined; readonly role?: Role | undefined };
    output: PageOutput & { readonly peers: PeerView[] };
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
      readonly cursor?: string | undefined;
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

/** What one peer has reported that tells how far another one is. */
interface RttHalf {
  readonly coordinate: Coordinate | null;
  readonly observed: Observed | null;
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
