import type { KindLoadView, KindSettingsView, KindSettingsBody } from "../../protocol/http.ts";
import { answer } from "./answers.ts";
import { segment, type Api } from "../http/api.ts";
import { listing, type Listing } from "../http/paging.ts";
import { refuseUnknownOptions, type OptionNames } from "../known-options.ts";

export interface KindOptions {
  /** How long an attempt may take, for tasks that are submitted without a value of their own. */
  readonly attemptTimeoutSeconds?: number;
  /** Tasks of the kind that peers have at once, in the whole mesh. */
  readonly concurrency?: number;
  /** How many tasks of the kind are offered per second, after a burst (default: 1). */
  readonly rate?: { readonly perSecond: number; readonly burst?: number };
}

const KIND_OPTIONS: OptionNames<KindOptions> = {
  attemptTimeoutSeconds: "number",
  concurrency: "number",
  rate: { perSecond: "number", burst: "number" },
};

/** The settings of kinds of tasks, and how much of each there is to do. */
export class KindsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Every kind that has settings. */
  list(): Listing<KindSettingsView> {
    return listing(
      this.#api,
      answer("KindSettingsList"),
      { path: "v1/kinds" },
      ({ kinds }) => kinds,
    );
  }

  get(kind: string): Promise<KindSettingsView> {
    return this.#api.json(answer("KindSettingsView"), { path: pathOf(kind) });
  }

  /** How many tasks of a kind wait and run, of all owners. A kind without a task has zeros. */
  load(kind: string): Promise<KindLoadView> {
    return this.#api.json(answer("KindLoadView"), { path: `${pathOf(kind)}/load` });
  }

  /** Replaces the settings of a kind: what is absent is not set. */
  async put(kind: string, options: KindOptions): Promise<KindSettingsView> {
    refuseUnknownOptions("kinds.put", options, KIND_OPTIONS);
    const { attemptTimeoutSeconds, concurrency, rate } = options;
    const body: KindSettingsBody = {
      attempt_timeout_seconds: attemptTimeoutSeconds ?? null,
      concurrency: concurrency ?? null,
      rate: rate === undefined ? null : { per_second: rate.perSecond, burst: rate.burst ?? 1 },
    };
    return this.#api.json(answer("KindSettingsView"), { method: "PUT", path: pathOf(kind), body });
  }

  async remove(kind: string): Promise<void> {
    await this.#api.remove(pathOf(kind));
  }
}

const pathOf = (kind: string): string => `v1/kinds/${segment(kind)}`;
