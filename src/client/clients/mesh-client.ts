import type { Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import {
  AllowEntry,
  AllowList,
  AuditList,
  AuthModeBody,
  BatchView,
  CallbackSecretView,
  DiscoveryKeys,
  DialList,
  DialView,
  JoinKeyList,
  NewJoinKeyView,
  NewTokenView,
  TokenList,
  MeshView,
  PairRttView,
  PeerList,
  PeerReply,
  PeerView,
  PointerList,
  PointerView,
  TaskList,
  TaskView,
  type AuditView,
  type AuthMode,
  type CreateJoinKey,
  type JoinKeyView,
  type Scope,
  type SubmitTaskInput,
  type TokenView,
  type PeerState,
  type TaskState,
  type TaskSummary,
  type WebhookSourceBody,
  type WebhookSourceView,
} from "../../protocol/http.ts";
import { REQUEST_TIMEOUT_DEFAULT } from "../../protocol/constants.ts";
import { newUuid } from "../../protocol/ids.ts";
import type { GoP2pRequest, Role } from "../../protocol/messages.ts";
import type { z } from "zod";
import { Api, type Fetch } from "../http/api.ts";
import type { AllowOptions, ControllerOptions, DialOptions, WaitOptions } from "./options.ts";
import { Discovery } from "../discovery/discovery-reader.ts";
import { WaitTimeout } from "../errors.ts";
import { Explanations } from "./explain-api.ts";
import type { PrivateKey } from "../keys.ts";
import { pages } from "../http/paging.ts";
import { resultOf } from "../tasks/read-result.ts";
import { hasEnded, type Task } from "../tasks/task.ts";
import { resultOfTask, runTask, type RunOptions } from "../tasks/run-task.ts";
import { submission, type AssignOptions } from "../tasks/submission.ts";
import { FOLLOW_ROUND, WAIT_ROUND } from "../timings.ts";
import { Webhooks } from "./webhook-client.ts";

/** Gives work to a mesh and governs it, over HTTP. Every method throws `MusterApiError` when the mesh says no. */
export const controller = (options: ControllerOptions): Controller => new Controller(options);

export class Controller {
  /** Webhook sources: to set up, try out and look after. */
  readonly webhooks: Webhooks;
  readonly explain: Explanations;
  readonly #api: Api;
  readonly #url: string;
  readonly #fetch: Fetch;

  constructor({ url, token, fetch = globalThis.fetch.bind(globalThis) }: ControllerOptions) {
    this.#url = url;
    this.#fetch = fetch;
    this.#api = new Api({ url, token, fetch, random: Math.random });
    this.webhooks = new Webhooks(this.#api);
    this.explain = new Explanations(this.#api);
  }

  /** Gives the mesh a task; returns once it is safely kept. Each call makes one task, however often it is retried. */
  assign(kind: string, payload: unknown = null, options: AssignOptions = {}): Promise<Task> {
    return this.#api.json(TaskView, {
      method: "POST",
      path: "v1/tasks",
      body: submission(kind, payload, options),
      headers: { "idempotency-key": options.idempotencyKey ?? newUuid(platformRandom) },
      idempotent: true,
      signal: options.signal,
    });
  }

  /**
   * Gives up to 100 tasks at once; each has its own outcome, in their order. Sent again under the same key, none is made
   * twice.
   */
  async assignBatch(
    tasks: readonly SubmitTaskInput[],
    options: Pick<AssignOptions, "idempotencyKey" | "signal"> = {},
  ): Promise<BatchView["results"]> {
    const { results } = await this.#api.json(BatchView, {
      method: "POST",
      path: "v1/task-batches",
      body: { tasks },
      headers: { "idempotency-key": options.idempotencyKey ?? newUuid(platformRandom) },
      idempotent: true,
      signal: options.signal,
    });
    return results;
  }

  /** The task once it has ended, however it did; throws `WaitTimeout` if that takes longer than `timeoutMs`. */
  async wait(id: string, options: WaitOptions = {}): Promise<Task> {
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    const until = Date.now() + timeoutMs;
    for (;;) {
      const wait = Math.max(0, Math.min(WAIT_ROUND, until - Date.now()));
      const task = await this.#taskAfter(id, wait, signal);
      if (hasEnded(task)) return task;
      if (Date.now() >= until) throw new WaitTimeout(task);
    }
  }

  /**
   * The task as it is now, and again whenever it has changed (its state, progress, attempts), until it has ended. It is
   * looked at once a second.
   */
  async *follow(id: string, { signal }: Pick<WaitOptions, "signal"> = {}): AsyncGenerator<Task> {
    let seen = "";
    for (let wait = 0; ; wait = FOLLOW_ROUND) {
      const task = await this.#taskAfter(id, wait, signal);
      const now = JSON.stringify(task);
      if (now !== seen) yield task;
      if (hasEnded(task)) return;
      seen = now;
    }
  }

  /** The task once it has ended, or after `wait` milliseconds. */
  #taskAfter(id: string, wait: Millis, signal: AbortSignal | undefined): Promise<Task> {
    const path = `v1/tasks/${segment(id)}`;
    return this.#api.json(TaskView, { path, query: { wait: wait / 1_000 }, wait, signal });
  }

  /**
   * Assigns and waits: the task's result, sealed on its way if `privateKey` is given. Throws `TaskFailed` if it ended in any
   * other way.
   */
  run(kind: string, payload: unknown = null, options: RunOptions = {}): Promise<Json> {
    return runTask(this, kind, payload, options);
  }

  /** The result of a task that has succeeded: what stands in it, or what is fetched and opened (see `result`). */
  resultOf(task: Task, privateKey?: PrivateKey): Promise<Json> {
    return resultOfTask(this, task, privateKey);
  }

  /**
   * The result of a task that succeeded, also one that is too large to stand in the task. A sealed one needs the private
   * key whose public half the task was given with.
   */
  async result(id: string, privateKey?: PrivateKey): Promise<Json> {
    const response = await this.#api.response({ path: `v1/tasks/${segment(id)}/result` });
    return resultOf(response, privateKey);
  }

  task(id: string): Promise<Task> {
    return this.#api.json(TaskView, { path: `v1/tasks/${segment(id)}` });
  }

  /** Every task, page by page, without payloads and results. */
  tasks(
    filter: { readonly state?: TaskState; readonly kind?: string } = {},
  ): AsyncIterable<TaskSummary> {
    return pages(async (cursor) => {
      const query = { ...filter, cursor };
      const page = await this.#api.json(TaskList, { path: "v1/tasks", query });
      return { items: page.tasks, next: page.next_cursor };
    });
  }

  /** Cancels a task that has not ended. */
  cancel(id: string): Promise<Task> {
    return this.#api.json(TaskView, { method: "DELETE", path: `v1/tasks/${segment(id)}` });
  }

  /** The secret that signs the callbacks of the tasks that this token gives: for `verifyCallback`. */
  async callbackSecret(): Promise<string> {
    return (await this.#api.json(CallbackSecretView, { path: "v1/callback-secret" })).secret;
  }

  /** Has a callback delivered again that was given up or delivered. */
  repeatCallback(id: string): Promise<Task> {
    return this.#api.json(TaskView, { method: "POST", path: `v1/tasks/${segment(id)}/callback` });
  }

  /** Every peer, page by page. */
  peers(
    filter: { readonly state?: PeerState; readonly role?: Role } = {},
  ): AsyncIterable<PeerView> {
    return pages(async (cursor) => {
      const query = { ...filter, cursor };
      const page = await this.#api.json(PeerList, { path: "v1/peers", query });
      return { items: page.peers, next: page.next_cursor };
    });
  }

  peer(id: string): Promise<PeerView> {
    return this.#api.json(PeerView, { path: `v1/peers/${segment(id)}` });
  }

  /** What the round trip between two peers is estimated at, how far off that may be, and whether it was measured. */
  rtt(id: string, other: string): Promise<PairRttView> {
    return this.#api.json(PairRttView, { path: `v1/peers/${segment(id)}/rtt/${segment(other)}` });
  }

  /**
   * Asks the peer one of go-p2p's requests and returns its reply, an `error` perhaps. Throws `peer_unavailable` when the
   * peer is not connected, `peer_timeout` when it does not answer within `timeoutMs` (10 s; 60 s at most).
   */
  request(
    id: string,
    type: GoP2pRequest,
    payload: unknown = null,
    { timeoutMs, signal }: WaitOptions = {},
  ): Promise<PeerReply> {
    return this.#api.json(PeerReply, {
      method: "POST",
      path: `v1/peers/${segment(id)}/requests`,
      body: { type, payload, ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }) },
      wait: timeoutMs ?? REQUEST_TIMEOUT_DEFAULT,
      signal,
    });
  }

  /** Bars the peer's key and ends its session before it returns. */
  revoke(id: string): Promise<PeerView> {
    return this.#api.json(PeerView, { method: "POST", path: `v1/peers/${segment(id)}/revoke` });
  }

  /** Removes what the mesh knows of a peer; this does not bar it. */
  async forget(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/peers/${segment(id)}` });
  }

  /**
   * Has the mesh dial a peer that listens at this ws:// or wss:// URL: now, and again whenever it is away. Called again for
   * the same URL, it dials now.
   */
  dial(url: string, { publicKey, name }: DialOptions = {}): Promise<DialView> {
    const body = { url, name, public_key: publicKey };
    const request = { method: "POST", path: "v1/peers", body, idempotent: true } as const;
    return this.#api.json(DialView, request);
  }

  /** The addresses that the mesh dials. */
  async dials(): Promise<readonly DialView[]> {
    return (await this.#api.json(DialList, { path: "v1/dials" })).dials;
  }

  /** Has an address, by the ID of its entry, dialled no more; a session that it led to ends. */
  async hangUp(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/dials/${segment(id)}` });
  }

  /** Puts a public key (hex) on the allowlist, or changes its entry. */
  allow(publicKey: string, options: AllowOptions = {}): Promise<AllowEntry> {
    const path = `v1/allowlist/${segment(publicKey)}`;
    return this.#api.json(AllowEntry, { method: "PUT", path, body: options });
  }

  async disallow(publicKey: string): Promise<void> {
    const path = `v1/allowlist/${segment(publicKey)}`;
    await this.#api.response({ method: "DELETE", path });
  }

  allowlist(): Promise<z.output<typeof AllowList>> {
    return this.#api.json(AllowList, { path: "v1/allowlist" });
  }

  async authMode(): Promise<AuthMode> {
    return (await this.#api.json(AuthModeBody, { path: "v1/auth-mode" })).mode;
  }

  async setAuthMode(mode: AuthMode): Promise<AuthMode> {
    const request = { method: "PUT", path: "v1/auth-mode", body: { mode } } as const;
    return (await this.#api.json(AuthModeBody, request)).mode;
  }

  /** Creates an API token. It is shown this once. */
  createToken(scope: Scope, label = ""): Promise<z.output<typeof NewTokenView>> {
    return this.#api.json(NewTokenView, {
      method: "POST",
      path: "v1/tokens",
      body: { scope, label },
    });
  }

  async tokens(): Promise<readonly TokenView[]> {
    return (await this.#api.json(TokenList, { path: "v1/tokens" })).tokens;
  }

  async revokeToken(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/tokens/${segment(id)}` });
  }

  /** Creates a join key, which adds peers to the allowlist. It is shown this once, with a link that carries it. */
  createJoinKey(
    options: z.input<typeof CreateJoinKey> = {},
  ): Promise<z.output<typeof NewJoinKeyView>> {
    return this.#api.json(NewJoinKeyView, { method: "POST", path: "v1/join-keys", body: options });
  }

  async joinKeys(): Promise<readonly JoinKeyView[]> {
    return (await this.#api.json(JoinKeyList, { path: "v1/join-keys" })).join_keys;
  }

  async revokeJoinKey(id: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: `v1/join-keys/${segment(id)}` });
  }

  /** Who was let in or not, and who changed what: newest first, page by page. */
  audit(
    filter: { readonly subject?: string; readonly act?: string } = {},
  ): AsyncIterable<AuditView> {
    return pages(async (cursor) => {
      const page = await this.#api.json(AuditList, {
        path: "v1/audit",
        query: { ...filter, cursor },
      });
      return { items: page.entries, next: page.next_cursor };
    });
  }

  /** The mesh's name and public keys. */
  mesh(): Promise<MeshView> {
    return this.#api.json(MeshView, { path: "v1/mesh" });
  }

  /** Sets up a webhook: short for `webhooks.put`. */
  putWebhookSource(
    name: string,
    source: z.input<typeof WebhookSourceBody>,
  ): Promise<WebhookSourceView> {
    return this.webhooks.put(name, source);
  }

  webhookSource(name: string): Promise<WebhookSourceView> {
    return this.webhooks.get(name);
  }

  deleteWebhookSource(name: string): Promise<void> {
    return this.webhooks.remove(name);
  }

  /** What finds and opens peers; for admins and controllers. */
  discoveryKeys(): Promise<DiscoveryKeys> {
    return this.#api.json(DiscoveryKeys, { path: "v1/discovery/keys" });
  }

  /** Finds peers and opens their records, here or at these replicas first. */
  discovery(replicas: readonly string[] = []): Discovery {
    const url = [...replicas, this.#url];
    return new Discovery({ url, keys: () => this.discoveryKeys(), fetch: this.#fetch });
  }

  /** What is published of the mesh's peers, page by page. */
  pointers(): AsyncIterable<z.output<typeof PointerView>> {
    return pages(async (cursor) => {
      const page = await this.#api.json(PointerList, { path: "v1/pointers", query: { cursor } });
      return { items: page.pointers, next: page.next_cursor };
    });
  }

  pointer(id: string): Promise<z.output<typeof PointerView>> {
    return this.#api.json(PointerView, { path: `v1/pointers/${segment(id)}` });
  }

  /** A sealed peer record, as it is stored. */
  async blob(id: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#api.response({
      path: `v1/blobs/${segment(id)}`,
      headers: { accept: "application/octet-stream" },
    });
    return new Uint8Array(await response.arrayBuffer());
  }
}

const segment = (text: string): string => encodeURIComponent(text);
