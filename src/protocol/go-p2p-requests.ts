/** go-p2p's requests, each with the type of its reply. */
export const GO_P2P_REPLIES = {
  get_stats: "stats",
  get_logs: "logs",
  start_miner: "miner_ack",
  stop_miner: "miner_ack",
  deploy: "deploy_ack",
} as const;
export type GoP2pRequest = keyof typeof GO_P2P_REPLIES;
export const GO_P2P_REQUESTS = Object.keys(GO_P2P_REPLIES) as GoP2pRequest[];
/** The type of a reply: the one that answers the request, or `error`. */
export type GoP2pReply = (typeof GO_P2P_REPLIES)[GoP2pRequest] | "error";

/** The kind of a task that is one go-p2p request is this prefix and the request's type: `go-p2p/get_stats`. */
export const GO_P2P_KIND = "go-p2p/";
export const GO_P2P_DEPLOY = `${GO_P2P_KIND}deploy`;
/** The kinds that a go-p2p node without Muster's messages handles. */
export const GO_P2P_KINDS: readonly string[] = GO_P2P_REQUESTS.map(
  (type) => `${GO_P2P_KIND}${type}`,
);
