import { SECOND, type Millis } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { textOfJson, type ExactJson } from "../../base/json-text/json-text.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import { GO_P2P_ERROR } from "../../protocol/go-p2p-errors.ts";
import type { GoP2pRequest } from "../../protocol/messages.ts";
import { GO_P2P_KIND, GO_P2P_REPLIES, GO_P2P_REQUESTS } from "../../protocol/go-p2p-requests.ts";
import type { Connection } from "../connection/connection.ts";
import { CONCURRENT_REQUESTS_MAX } from "../timings.ts";
import type { MessageHandlers } from "../peer/inbound-messages.ts";
import { runToOutcome } from "./attempt-outcome.ts";
import type { Handler, Handlers } from "./handler.ts";

export interface GoP2pRequestsOptions {
  readonly handlers: Handlers;
  /** The longest JSON of a reply. */
  readonly inlineBytesMax: number;
  /** Answers `get_stats` if there is no handler for it. */
  readonly stats: () => Json;
}

/**
 * Answers the go-p2p requests that the mesh forwards, by the handler of the kind `go-p2p/` + type; the same handler also
 * runs tasks of that kind. Without a handler, `get_stats` returns what a go-p2p worker returns, and other types are
 * refused.
 */
export class GoP2pRequests {
  #options: GoP2pRequestsOptions;
  readonly #abort = new AbortController();
  #running = 0;

  constructor(options: GoP2pRequestsOptions) {
    this.#options = options;
  }

  /** Sets the handlers, once they are loaded. */
  setHandlers(handlers: Handlers): void {
    this.#options = { ...this.#options, handlers };
  }

  async answer(type: GoP2pRequest, payload: ExactJson, id: string, to: Connection): Promise<void> {
    const handler = this.#handlerOf(type);
    if (handler === null) {
      return refuse(to, id, GO_P2P_ERROR.notFound, `this peer has no handler for ${type}`);
    }
    if (this.#running >= CONCURRENT_REQUESTS_MAX) {
      return refuse(to, id, GO_P2P_ERROR.operationFailed, "too many requests at once");
    }
    this.#running++;
    const context = {
      taskId: id,
      kind: `${GO_P2P_KIND}${type}`,
      payloadText: textOfJson(payload),
      attempt: 1,
      fence: 0, // a request is no attempt of a task
      signal: this.#abort.signal,
      progress: () => {},
    };
    const { inlineBytesMax } = this.#options;
    const transport = { sealTo: null, large: false, inlineBytesMax };
    const run = () => handler(JSON.parse(context.payloadText), context);
    const outcome = await runToOutcome(run, transport);
    this.#running--;
    if ("result" in outcome) to.send(GO_P2P_REPLIES[type], outcome.result, id);
    else if (!outcome.ok) refuse(to, id, GO_P2P_ERROR.operationFailed, outcome.error);
  }

  /** Aborts the running handlers. */
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

/** The `stats` payload of a go-p2p worker that runs no miners. */
export const goP2pStats = (id: string, name: string, uptime: Millis): Json => ({
  nodeId: id,
  nodeName: name,
  miners: [],
  uptime: Math.floor(uptime / SECOND),
});

/** A message handler for each request type. */
export const requestHandlers = (
  receive: (type: GoP2pRequest, payload: ExactJson, id: string) => void,
): Pick<MessageHandlers, GoP2pRequest> =>
  Object.fromEntries(
    GO_P2P_REQUESTS.map((type) => [
      type,
      (payload: ExactJson, { id }: Envelope) => receive(type, payload, id),
    ]),
  ) as Pick<MessageHandlers, GoP2pRequest>;

const refuse = (to: Connection, id: string, code: number, message: string): void =>
  void to.send("error", { code, message }, id);
