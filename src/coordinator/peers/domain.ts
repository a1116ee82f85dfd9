import type { PeerCommands } from "../../contract/peers.ts";
import type { Domain } from "../kernel/domain.ts";
import { hearAdvert } from "./gossip.ts";
import { peerJobs } from "./jobs.ts";
import { getPeer, listPeers, requestPeer } from "./get-peers.ts";
import { getRtt, reportRtts } from "./rtts.ts";
import { getScore } from "./score-explanation.ts";

export const peers: Domain<PeerCommands> = {
  handlers: {
    report_rtts: reportRtts,
    hear_advert: hearAdvert,
    get_peer: getPeer,
    get_score: getScore,
    get_rtt: getRtt,
    list_peers: listPeers,
    request_peer: requestPeer,
  },
  audit: {
    // Requests that only read are frequent and change nothing.
    request_peer: ({ id, type }) =>
      type === "get_stats" || type === "get_logs" ? null : { subject: id, detail: { type } },
  },
  jobs: peerJobs,
};
