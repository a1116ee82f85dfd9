import type { Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { EVENT_OPTIONS, type EventOptions, type MeshEvent } from "../events/event-options.ts";
import { Api } from "../http/api.ts";
import { resolveDestination } from "../peer/destination.ts";
import type { RunOptions } from "../tasks/run-task.ts";
import type { AlertView, CellsView } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { AllowlistClient } from "./allowlist-client.ts";
import { AuditClient } from "./audit-client.ts";
import { CallbacksClient } from "./callbacks-client.ts";
import { DenylistClient } from "./denylist-client.ts";
import { DialsClient } from "./dials-client.ts";
import { DiscoveryClient } from "./discovery-client.ts";
import { JoinKeysClient } from "./join-keys-client.ts";
import { KindsClient } from "./kinds-client.ts";
import { MeshPin } from "./mesh-pin.ts";
import { refuseUnknownOptions } from "../known-options.ts";
import { CONTROLLER_OPTIONS, outageOf, type ControllerOptions } from "./options.ts";
import { PeersClient } from "./peers-client.ts";
import { SettingsClient } from "./settings-client.ts";
import { TasksClient } from "./tasks-client.ts";
import { TokensClient } from "./tokens-client.ts";
import { WebhooksClient } from "./webhooks-client.ts";

const EXAMPLE = 'controller({ url: "https://mesh.example", token: "…" })';

/** The client of a mesh's HTTP API, for programs that submit tasks or administer the mesh. */
export const controller = (options: ControllerOptions): MeshClient => new MeshClient(options);

/**
 * One sub-client per resource. The verbs are the same everywhere: `list` returns a `Listing`, `get` reads one, `create`
 * makes one that the mesh names, `put` creates or replaces one that the caller names, `remove` deletes, `revoke` bars for
 * good. Every method throws `MusterApiError` when the mesh refuses the request or does not answer.
 */
export class MeshClient {
  readonly tasks: TasksClient;
  readonly peers: PeersClient;
  readonly dials: DialsClient;
  readonly allowlist: AllowlistClient;
  readonly denylist: DenylistClient;
  readonly tokens: TokensClient;
  readonly joinKeys: JoinKeysClient;
  readonly webhooks: WebhooksClient;
  readonly discovery: DiscoveryClient;
  readonly audit: AuditClient;
  readonly settings: SettingsClient;
  readonly kinds: KindsClient;
  readonly callbacks: CallbacksClient;
  readonly #api: Api;
  readonly #outageMs: Millis;

  /** Throws an `OptionsError` if the URL or a key is not valid. */
  constructor(given: ControllerOptions) {
    refuseUnknownOptions("controller", given, CONTROLLER_OPTIONS, EXAMPLE);
    const {
      token,
      fetch = globalThis.fetch.bind(globalThis),
      outageMs,
      onMissingCells,
      ...options
    } = given;
    const { url, meshKey, nextMeshKey } = resolveDestination(options);
    const api = new Api({ url, token, fetch, random: Math.random, onMissingCells });
    const keys = [meshKey, nextMeshKey].filter((key) => key !== null);
    const pin = meshKey === null ? null : new MeshPin({ url, fetch, keys });
    this.#api = api;
    this.#outageMs = outageOf(outageMs);
    this.tasks = new TasksClient(api, pin, this.#outageMs);
    this.peers = new PeersClient(api);
    this.dials = new DialsClient(api);
    this.allowlist = new AllowlistClient(api);
    this.denylist = new DenylistClient(api);
    this.tokens = new TokensClient(api);
    this.joinKeys = new JoinKeysClient(api);
    this.webhooks = new WebhooksClient(api);
    this.discovery = new DiscoveryClient(api, { url, fetch });
    this.audit = new AuditClient(api);
    this.settings = new SettingsClient(api);
    this.kinds = new KindsClient(api);
    this.callbacks = new CallbacksClient(api);
  }

  /** Short for `tasks.run`: submits a task, waits for its end and returns its result. */
  run<Result = Json>(
    kind: string,
    payload: unknown = null,
    options: RunOptions = {},
  ): Promise<Result> {
    return this.tasks.run<Result>(kind, payload, options);
  }

  /** The alerts that fire now, those that have fired for longest first (docs/alerts.md). */
  async alerts(): Promise<readonly AlertView[]> {
    return (await this.#api.json(answer("AlertList"), { path: "v1/alerts" })).alerts;
  }

  /** The cells of the mesh, what each has, and whether their number changes (docs/decisions/122-cells.md). */
  cells(): Promise<CellsView> {
    return this.#api.json(answer("CellsView"), { path: "v1/cells" });
  }

  /**
   * What changes in the mesh, as far as the token may see it, from now on or after a position. Goes on across restarts of the mesh, with
   * each event once and in order; a gap says that events are missing. Throws `MusterApiError` if the mesh refuses the token or
   * gives no answer for `outageMs`.
   */
  events(options: EventOptions = {}): AsyncGenerator<MeshEvent, void, undefined> {
    refuseUnknownOptions("events", options, EVENT_OPTIONS);
    const followed = { ...options, outageMs: outageOf(options.outageMs, this.#outageMs) };
    return eventsOf(this.#api, followed);
  }
}

/** Only programs that follow events load what reads them. */
async function* eventsOf(
  api: Api,
  options: EventOptions & { readonly outageMs: Millis },
): AsyncGenerator<MeshEvent, void, undefined> {
  const { followEvents } = await import("../events/loaded-later.ts");
  yield* followEvents(api, options);
}
