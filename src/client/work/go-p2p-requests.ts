import type { Json } from "../../base/json.ts";
import { GO_P2P_ERROR } from "../../protocol/errors.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import {
  GO_P2P_KIND,
  GO_P2P_REPLIES,
  GO_P2P_REQUESTS,
  type GoP2pRequest,
} from "../../protocol/messages.ts";
import type { Receivers } from "../peer/inbound-messages.ts";
import type { Link } from "../connection/connection.ts";
import { outcomeOf } from "./attempt-outcome.ts";
import { REQUESTS_AT_ONCE_MAX } from "../timings.ts";
import type { Handler, Handlers } from "./task-runner.ts";

export interface RequestOptions {
  readonly handlers: Handlers;
  /** What a peer without a handler of its own says of itself. */
  readonly stats: () => Json;
}

/**
 * Answers go-p2p's requests, which the mesh passes on: by the handler of the kind `go-p2p/` + type, which serves such
 * tasks, too. Where there is none, `get_stats` is answered as go-p2p does, and the rest is refused.
 */
export class Requests {
  readonly #options: RequestOptions;
  readonly #abort = new AbortController();
  #underWay = 0;

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  async answer(type: GoP2pRequest, payload: Json, id: string, link: Link): Promise<void> {
    const handler = this.#handlerOf(type);
    if (handler === null) {
      return refuse(link, id, GO_P2P_ERROR.notFound, `this peer does not do ${type}`);
    }
    if (this.#underWay >= REQUESTS_AT_ONCE_MAX) {
      return refuse(link, id, GO_P2P_ERROR.operationFailed, "too many requests at once");
    }
    this.#underWay++;
    const kind = `${GO_P2P_KIND}${type}`;
    const context = {
      taskId: id,
      kind,
      attempt: 1,
      signal: this.#abort.signal,
      progress: () => {},
    };
    const outcome = await outcomeOf(() => handler(payload, context));
    this.#underWay--;
    if ("result" in outcome) link.send(GO_P2P_REPLIES[type], outcome.result, id);
    else if (!outcome.ok) refuse(link, id, GO_P2P_ERROR.operationFailed, outcome.error);
  }

  /** The peer closes: whatever is under way shall stop. */
  stop(reason: string): void {
    this.#abort.abort(new DOMException(reason, "AbortError"));
  }

  #handlerOf(type: GoP2pRequest): Handler | null {
    const { handlers, stats } = this.#options;
    const kind = `${GO_P2P_KIND}${type}`;
    if (Object.hasOwn(handlers, kind)) return handlers[kind] ?? null;
    return type === "get_stats" ? stats : null;
  }
}

/** Receivers of all requests. */
export const requestReceivers = (
  receive: (type: GoP2pRequest, payload: Json, id: string) => void,
): Pick<Receivers, GoP2pRequest> =>
  Object.fromEntries(
    GO_P2P_REQUESTS.map((type) => [
      type,
      (payload: Json, { id }: Envelope) => receive(type, payload, id),
    ]),
  ) as Pick<Receivers, GoP2pRequest>;

const refuse = (link: Link, id: string, code: number, message: string): void =>
  void link.send("error", { code, message }, id);
