import type { PeerCommands } from "../../contract/peers.ts";
import type { Domain } from "../kernel/domain.ts";
import { hearAdvert } from "./gossip.ts";
import { peerJobs } from "./jobs.ts";
import { peerDrains, schedulePeer, schedulePeers } from "./schedule-peers.ts";
import { getMap } from "./get-map.ts";
import { getPeer, listPeers, requestPeer } from "./get-peers.ts";
import { resetCircuits } from "./reset-circuits.ts";
import { getRtt, reportRtts } from "./rtts.ts";
import { getScore } from "./score-explanation.ts";

/** Peers that the audit entry of a command on many peers names. */
const AUDITED_PEERS = 20;

export const peers: Domain<PeerCommands> = {
  handlers: {
    report_rtts: reportRtts,
    hear_advert: hearAdvert,
    get_peer: getPeer,
    get_score: getScore,
    get_rtt: getRtt,
    get_map: getMap,
    list_peers: listPeers,
    request_peer: requestPeer,
    peer_drains: peerDrains,
    reset_circuits: resetCircuits,
    schedule_peer: schedulePeer,
    schedule_peers: schedulePeers,
  },
  audit: {
    // Requests that only read are frequent and change nothing.
    request_peer: ({ id, type }) =>
      type === "get_stats" || type === "get_logs" ? null : { subject: id, detail: { type } },
    reset_circuits: ({ id }) => ({ subject: id }),
    schedule_peer: ({ id, action }) => ({ subject: id, detail: { action } }),
    schedule_peers: ({ action, select, dryRun }, output) =>
      dryRun
        ? null
        : {
            subject: "peers",
            detail: {
              action,
              select: { ...select },
              peers: output?.peers.length ?? null,
              first: output?.peers.slice(0, AUDITED_PEERS).map(({ id }) => id) ?? [],
            },
          },
  },
  jobs: peerJobs,
};
