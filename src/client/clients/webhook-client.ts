import {
  DeliveryList,
  DeliveryView,
  DryRunView,
  WebhookSourceList,
  WebhookSourceView,
  type DeliveryOutcome,
  type KeptDelivery,
  type WebhookSample,
  type WebhookSourceBody,
} from "../../protocol/http.ts";
import { platformRandom } from "../../crypto/primitives.ts";
import { newUuid } from "../../protocol/ids.ts";
import type { z } from "zod";
import type { Api } from "../http/api.ts";
import { pages } from "../http/paging.ts";

export interface ReplayOptions {
  /** Makes another task of a delivery that became one; otherwise that one's task answers. */
  readonly newTask?: boolean;
  /** Names the replay itself: the same key makes no second task. Default: a fresh one for each call. */
  readonly idempotencyKey?: string;
}

/** A mesh's webhook sources: set up, tried out, and looked after. `controller.webhooks` has one. */
export class Webhooks {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(): Promise<readonly WebhookSourceView[]> {
    return (await this.#api.json(WebhookSourceList, { path: "v1/webhook-sources" })).sources;
  }

  /** Sets one up, or changes it: deliveries to `v1/webhooks/NAME` that are signed with its secret become tasks. */
  put(name: string, source: z.input<typeof WebhookSourceBody>): Promise<WebhookSourceView> {
    return this.#api.json(WebhookSourceView, { method: "PUT", path: of(name), body: source });
  }

  get(name: string): Promise<WebhookSourceView> {
    return this.#api.json(WebhookSourceView, { path: of(name) });
  }

  async remove(name: string): Promise<void> {
    await this.#api.response({ method: "DELETE", path: of(name) });
  }

  /** What a sample event would become at a source, and why. Nothing is stored. */
  test(name: string, sample: z.input<typeof WebhookSample>): Promise<DryRunView> {
    return this.#api.json(DryRunView, {
      method: "POST",
      path: `${of(name)}/test`,
      body: sample,
      idempotent: true,
    });
  }

  /** A source's recent deliveries, newest first, page by page. */
  deliveries(
    name: string,
    filter: { readonly outcome?: DeliveryOutcome } = {},
  ): AsyncIterable<KeptDelivery> {
    return pages(async (cursor) => {
      const query = { ...filter, cursor };
      const page = await this.#api.json(DeliveryList, { path: `${of(name)}/deliveries`, query });
      return { items: page.deliveries, next: page.next_cursor };
    });
  }

  /** Has a delivery taken once more, by the source's filters and mapping as they are now. */
  replay(name: string, id: string, options: ReplayOptions = {}): Promise<DeliveryView> {
    return this.#api.json(DeliveryView, {
      method: "POST",
      path: `${of(name)}/deliveries/${encodeURIComponent(id)}/replay`,
      query: { new_task: String(options.newTask ?? false) },
      headers: { "idempotency-key": options.idempotencyKey ?? newUuid(platformRandom) },
      idempotent: true,
    });
  }
}

const of = (name: string): string => `v1/webhook-sources/${encodeURIComponent(name)}`;
