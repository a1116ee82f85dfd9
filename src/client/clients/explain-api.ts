import { ScoreView, WhyView } from "../../protocol/http.ts";
import type { Api } from "../http/api.ts";

/** What a mesh thinks of its peers, and why it chose one. `controller.explain` has one. */
export class Explanations {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** What a peer's score is made of. */
  score(peerId: string): Promise<ScoreView> {
    return this.#api.json(ScoreView, { path: `v1/peers/${encodeURIComponent(peerId)}/score` });
  }

  /** Why a task went to its peer (`attempt`: in which try; the newest unless given), or why it waits. */
  why(taskId: string, attempt?: number): Promise<WhyView> {
    const path = `v1/tasks/${encodeURIComponent(taskId)}/why`;
    return this.#api.json(WhyView, { path, query: { attempt } });
  }
}
