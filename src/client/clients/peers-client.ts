import { REQUEST_TIMEOUT_DEFAULT } from "../../protocol/constants.ts";
import {
  PairRttView,
  PeerList,
  PeerReply,
  PeerView,
  ScoreView,
  type PeerState,
} from "../../protocol/http.ts";
import type { GoP2pRequest, Role } from "../../protocol/messages.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import type { WaitOptions } from "./options.ts";

/** Reads and governs the peers of a mesh. */
export class PeersClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every known peer, connected or not. */
  list(filter: { readonly state?: PeerState; readonly role?: Role } = {}): Listing<PeerView> {
    return listing(this.#api, PeerList, { path: "v1/peers", query: filter }, ({ peers }) => peers);
  }

  /** One peer by its ID. */
  get(id: string): Promise<PeerView> {
    return this.#api.json(PeerView, { path: pathOf(id) });
  }

  /** The factors of a peer's score, each with its value and weight. */
  score(id: string): Promise<ScoreView> {
    return this.#api.json(ScoreView, { path: `${pathOf(id)}/score` });
  }

  /** The estimated round-trip time between two peers, its error, and whether it was measured. */
  rtt(id: string, otherId: string): Promise<PairRttView> {
    return this.#api.json(PairRttView, { path: `${pathOf(id)}/rtt/${segment(otherId)}` });
  }

  /**
   * Sends a go-p2p request to a connected peer and returns its reply, which may be an `error` message. Throws
   * `peer_unavailable` if the peer is not connected, `peer_timeout` if it does not reply within `timeoutMs` (default
   * 10 s, at most 60 s).
   */
  request(
    id: string,
    type: GoP2pRequest,
    payload: unknown = null,
    { timeoutMs, signal }: WaitOptions = {},
  ): Promise<PeerReply> {
    return this.#api.json(PeerReply, {
      method: "POST",
      path: `${pathOf(id)}/requests`,
      body: { type, payload, ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }) },
      wait: timeoutMs ?? REQUEST_TIMEOUT_DEFAULT,
      signal,
    });
  }

  /** Bars the peer's key and ends its session; both are done when the call returns. */
  revoke(id: string): Promise<PeerView> {
    return this.#api.json(PeerView, { method: "POST", path: `${pathOf(id)}/revoke` });
  }

  /** Deletes the mesh's data about a peer. This does not bar its key: the peer may connect again. */
  async forget(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: pathOf(id) });
  }
}

const pathOf = (id: string): string => `v1/peers/${segment(id)}`;
