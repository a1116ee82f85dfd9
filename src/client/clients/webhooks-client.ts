import type { z } from "zod";
import type { Json } from "../../base/json.ts";
import { textOfJson } from "../../base/json-text/json-text.ts";
import { ExactMembers } from "../../base/json-text/read-json.ts";
import type {
  DeliveryView,
  DryRunView,
  RefusedList,
  WebhookSourceView,
  DeliveryOutcome,
  KeptDelivery,
  WebhookSample,
  WebhookSourceBody,
} from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";
import { payloadJson } from "../tasks/exact-value.ts";
import { idempotencyKeyOf } from "../tasks/submission.ts";
import { keepTasksQuery, type RevokeOptions } from "./options.ts";

export interface ReplayOptions {
  /** Creates a second task although the delivery has created one. Default false: the answer names the existing task. */
  readonly newTask?: boolean;
  /** Identifies the replay: a second call with the same key creates no second task. Default: a fresh key for each call. */
  readonly idempotencyKey?: string;
}

const REPLAY_OPTIONS: OptionNames<ReplayOptions> = { newTask: "boolean", idempotencyKey: "string" };

export interface DeliveryFilter {
  readonly outcome?: DeliveryOutcome;
  /** How many deliveries one request returns; default: 100. */
  readonly pageSize?: number;
}

const DELIVERY_FILTER: OptionNames<DeliveryFilter> = { outcome: "string", pageSize: "number" };

/** The outcome of a dry run. `payload_text` is the payload as a peer would get it. */
export type DryRun = Omit<DryRunView, "task"> & {
  readonly task:
    | (Omit<NonNullable<DryRunView["task"]>, "payload"> & {
        readonly payload: Json;
        readonly payload_text: string;
      })
    | null;
};

/** The member of a dry run whose text is kept. */
const EXACT_MEMBERS = new ExactMembers(["task", "payload"]);

/** How many levels of a source contain its template of a payload: those of the source and of its `task`. */
const TEMPLATE_LEVELS = 2;

/** The webhook sources of a mesh, and their deliveries. */
export class WebhooksClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every webhook source, without its secrets. */
  list(): Listing<WebhookSourceView> {
    return listing(
      this.#api,
      answer("WebhookSourceList"),
      { path: "v1/webhook-sources" },
      ({ sources }) => sources,
    );
  }

  /** One source by its name. */
  get(name: string): Promise<WebhookSourceView> {
    return this.#api.json(answer("WebhookSourceView"), { path: pathOf(name) });
  }

  /** Creates or replaces a source: deliveries to `v1/webhooks/NAME` that are signed with its secret become tasks. */
  async put(name: string, source: z.input<typeof WebhookSourceBody>): Promise<WebhookSourceView> {
    return this.#api.json(answer("WebhookSourceView"), {
      method: "PUT",
      path: pathOf(name),
      body: payloadJson(source, "source", TEMPLATE_LEVELS),
    });
  }

  /** Removes a source. The tasks that it has created are cancelled, unless `keepTasks` says otherwise. */
  async remove(name: string, options: RevokeOptions = {}): Promise<void> {
    const query = keepTasksQuery("webhooks.remove", options);
    await this.#api.remove(pathOf(name), query);
  }

  /** Dry run: the task that a sample event would become, or the filter that drops it. Nothing is stored. */
  async test(name: string, sample: z.input<typeof WebhookSample>): Promise<DryRun> {
    const { task, ...dryRun } = await this.#api.json(answer("DryRunView"), {
      method: "POST",
      path: `${pathOf(name)}/test`,
      body: payloadJson(sample, "sample", TEMPLATE_LEVELS),
      exact: EXACT_MEMBERS,
      idempotent: true,
    });
    if (task === null) return { ...dryRun, task };
    const text = textOfJson(task.payload);
    return { ...dryRun, task: { ...task, payload: JSON.parse(text) as Json, payload_text: text } };
  }

  /** The recent deliveries of a source, newest first. */
  deliveries(name: string, filter: DeliveryFilter = {}): Listing<KeptDelivery> {
    refuseUnknownOptions("webhooks.deliveries", filter, DELIVERY_FILTER);
    const { outcome, pageSize } = filter;
    return listing(
      this.#api,
      answer("DeliveryList"),
      { path: `${pathOf(name)}/deliveries`, query: { outcome, limit: pageSize } },
      ({ deliveries }) => deliveries,
    );
  }

  /** The refused deliveries of a source by reason, newest first: at most 20 entries, each with the newest of its deliveries. */
  refused(name: string): Promise<RefusedList> {
    return this.#api.json(answer("RefusedList"), { path: `${pathOf(name)}/refused` });
  }

  /** Processes a stored delivery again, with the source's current filters and mapping. */
  async replay(name: string, id: string, options: ReplayOptions = {}): Promise<DeliveryView> {
    refuseUnknownOptions("webhooks.replay", options, REPLAY_OPTIONS);
    return this.#api.json(answer("DeliveryView"), {
      method: "POST",
      path: `${pathOf(name)}/deliveries/${segment(id)}/replay`,
      query: { new_task: String(options.newTask ?? false) },
      headers: { "idempotency-key": idempotencyKeyOf(options.idempotencyKey) },
      idempotent: true,
    });
  }
}

const pathOf = (name: string): string => `v1/webhook-sources/${segment(name)}`;
