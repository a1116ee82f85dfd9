import type { Json } from "../../base/json.ts";
import { textOfJson } from "../../base/json-text/json-text.ts";
import { ExactMembers } from "../../base/json-text/read-json.ts";
import { REQUEST_TIMEOUT_DEFAULT } from "../../protocol/constants.ts";
import type {
  PairRttView,
  PeerView,
  RevokedPeer,
  ScoreView,
  ScheduledPeers,
  PeerSelection,
  PeerState,
} from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import type { GoP2pRequest, Role } from "../../protocol/messages.ts";
import { segment, type Api } from "../http/api.ts";
import { payloadJson } from "../tasks/exact-value.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { keepTasksQuery, type RevokeOptions, type WaitOptions } from "./options.ts";

export interface DrainOptions {
  /** How long the running tasks may take; default 600. After that they are released as abandoned. */
  readonly timeoutSeconds?: number;
}

const DRAIN_OPTIONS: OptionNames<DrainOptions> = { timeoutSeconds: "number" };

/** A peer's reply. `payload_text` is the payload exactly as the peer wrote it: parsing rounds long numbers. */
export interface PeerAnswer {
  readonly type: string;
  readonly payload: Json;
  readonly payload_text: string;
}

/** Reads and governs the peers of a mesh. */
export class PeersClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every known peer, connected or not. */
  list(filter: { readonly state?: PeerState; readonly role?: Role } = {}): Listing<PeerView> {
    refuseUnknownOptions("peers.list", filter, { state: "string", role: "string" });
    return listing(
      this.#api,
      answer("PeerList"),
      { path: "v1/peers", query: filter },
      ({ peers }) => peers,
    );
  }

  /** One peer by its ID. */
  get(id: string): Promise<PeerView> {
    return this.#api.json(answer("PeerView"), { path: pathOf(id) });
  }

  /** The factors of a peer's score, each with its value and weight. */
  score(id: string): Promise<ScoreView> {
    return this.#api.json(answer("ScoreView"), { path: `${pathOf(id)}/score` });
  }

  /** The estimated round-trip time between two peers, its error, and whether it was measured. */
  rtt(id: string, otherId: string): Promise<PairRttView> {
    return this.#api.json(answer("PairRttView"), { path: `${pathOf(id)}/rtt/${segment(otherId)}` });
  }

  /**
   * Sends a go-p2p request to a connected peer and returns its reply, which may be an `error` message. Throws
   * `peer_unavailable` if the peer is not connected, `peer_timeout` if it does not reply within `timeoutMs` (default
   * 10 s, at most 60 s).
   */
  async request(
    id: string,
    type: GoP2pRequest,
    payload: unknown = null,
    options: Pick<WaitOptions, "timeoutMs" | "signal"> = {},
  ): Promise<PeerAnswer> {
    refuseUnknownOptions("peers.request", options, { timeoutMs: "number", signal: "signal" });
    const { timeoutMs, signal } = options;
    const reply = await this.#api.json(answer("PeerReply"), {
      method: "POST",
      path: `${pathOf(id)}/requests`,
      body: {
        type,
        payload: payloadJson(payload),
        ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }),
      },
      exact: EXACT_MEMBERS,
      wait: timeoutMs ?? REQUEST_TIMEOUT_DEFAULT,
      signal,
    });
    const text = textOfJson(reply.payload);
    return { type: reply.type, payload: JSON.parse(text) as Json, payload_text: text };
  }

  /**
   * Bars a key, which is named by its peer's ID or by itself (hex), and ends its session; both are done when the call returns.
   * The mesh need not know the key (`known`). The old ID of a peer that has rotated its key stands for the peer (`rotated_from`).
   * The tasks that the peer submitted are cancelled, unless `keepTasks` says otherwise.
   */
  async revoke(idOrKey: string, options: RevokeOptions = {}): Promise<RevokedPeer> {
    const query = keepTasksQuery("peers.revoke", options);
    const path = `${pathOf(idOrKey)}/revoke`;
    return this.#api.json(answer("RevokedPeer"), { method: "POST", path, query });
  }

  /** Closes the peer's circuits, because it works again: it gets tasks at once. */
  resetCircuits(id: string): Promise<PeerView> {
    return this.#api.json(answer("PeerView"), { method: "POST", path: `${pathOf(id)}/reset` });
  }

  /** The peer gets no new tasks until it is uncordoned. */
  cordon(id: string): Promise<PeerView> {
    return this.#api.json(answer("PeerView"), { method: "POST", path: `${pathOf(id)}/cordon` });
  }

  /** The peer gets tasks again. */
  uncordon(id: string): Promise<PeerView> {
    return this.#api.json(answer("PeerView"), { method: "POST", path: `${pathOf(id)}/uncordon` });
  }

  /**
   * The peer hands back what it has not begun, finishes the rest and leaves. It stays cordoned. Returns at once; the drain is
   * over when the peer is not connected any more.
   */
  async drain(id: string, options: DrainOptions = {}): Promise<PeerView> {
    refuseUnknownOptions("peers.drain", options, DRAIN_OPTIONS);
    const { timeoutSeconds } = options;
    const body = timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds };
    return this.#api.json(answer("PeerView"), {
      method: "POST",
      path: `${pathOf(id)}/drain`,
      body,
    });
  }

  /** Cordons, uncordons or drains every peer that meets the conditions, and returns those that it concerned. */
  async schedule(
    action: "cordon" | "uncordon" | "drain",
    select: PeerSelection,
    options: DrainOptions & { readonly dryRun?: boolean } = {},
  ): Promise<readonly PeerView[]> {
    refuseUnknownOptions("peers.schedule", options, { ...DRAIN_OPTIONS, dryRun: "boolean" });
    const { timeoutSeconds, dryRun = false } = options;
    const timeout = action === "drain" &&
      timeoutSeconds !== undefined && { timeout_seconds: timeoutSeconds };
    const found: PeerView[] = [];
    let cursor: string | null = null;
    do {
      const body = { select, dry_run: dryRun, ...timeout, ...(cursor !== null && { cursor }) };
      const path = `v1/peer-batches/${action}`;
      const page: ScheduledPeers = await this.#api.json(answer("ScheduledPeers"), {
        method: "POST",
        path,
        body,
      });
      found.push(...page.peers);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return found;
  }

  /** Deletes the mesh's data about a peer. This does not bar its key: the peer may connect again. */
  async forget(id: string): Promise<void> {
    await this.#api.remove(pathOf(id));
  }
}

/** The member of a reply whose text is kept. */
const EXACT_MEMBERS = new ExactMembers(["payload"]);

const pathOf = (id: string): string => `v1/peers/${segment(id)}`;
