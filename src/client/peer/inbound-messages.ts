import type { Millis } from "../../base/clock.ts";
import { ACCEPT_TIMEOUT } from "../../protocol/constants.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { Typed } from "../../base/shape/shape.ts";
import type { Envelope } from "../../protocol/envelope.ts";
import { GO_P2P_REQUESTS } from "../../protocol/go-p2p-requests.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import * as shapes from "../../protocol/shapes/messages.ts";
import { MessageAge } from "./message-age.ts";

/** The message types of the mesh that a peer handles. */
const INBOUND_TYPES = [
  "ping",
  "pong",
  "welcome",
  "rejection",
  "task_offer",
  "task_return",
  "task_cancel",
  "drain",
  "task_shown",
  "sample",
  "error",
  "disconnect",
  ...GO_P2P_REQUESTS,
] as const;
type InboundType = (typeof INBOUND_TYPES)[number];

/** The payload of any JSON, of each of go-p2p's requests. */
const ANY = shapes.GetStatsMessage;
const SHAPES: { readonly [T in InboundType]: Typed<PayloadOf<T>> } = {
  ping: shapes.PingMessage,
  pong: shapes.PongMessage,
  welcome: shapes.WelcomeMessage,
  rejection: shapes.RejectionMessage,
  task_offer: shapes.TaskOfferMessage,
  task_return: shapes.TaskReturnMessage,
  task_cancel: shapes.TaskCancelMessage,
  drain: shapes.DrainMessage,
  task_shown: shapes.TaskShownMessage,
  sample: shapes.SampleMessage,
  error: shapes.ErrorMessage,
  disconnect: shapes.DisconnectMessage,
  get_stats: ANY,
  get_logs: ANY,
  start_miner: ANY,
  stop_miner: ANY,
  deploy: ANY,
};

/** A handler for each inbound message type; `ignored` is called for messages that have no handler or are not valid. */
export type MessageHandlers = {
  readonly [T in InboundType]: (payload: PayloadOf<T>, envelope: Envelope) => void;
} & { readonly ignored: (reason: string) => void };

/**
 * Validates a message's payload and calls the handler of its type. An offer that was held back on its way is ignored: the
 * mesh has given it up by now, perhaps to another peer.
 *
 * @param monotonic a clock that is never set
 */
export function messageDispatcher(
  handlers: MessageHandlers,
  monotonic: () => Millis,
): (envelope: Envelope) => void {
  const age = new MessageAge(monotonic);
  return (envelope) => {
    const delay = age.arrived(envelope.ts);
    if (envelope.type === "task_offer" && delay >= ACCEPT_TIMEOUT)
      handlers.ignored("an offer that is no longer valid");
    else dispatchMessage(envelope, handlers);
  };
}

function dispatchMessage(envelope: Envelope, handlers: MessageHandlers): void {
  const type = INBOUND_TYPES.find((known) => known === envelope.type);
  if (type === undefined)
    return handlers.ignored(`no handler for messages of type ${envelope.type}`);
  handleMessage(type, envelope, handlers);
}

function handleMessage<T extends InboundType>(
  type: T,
  envelope: Envelope,
  handlers: MessageHandlers,
): void {
  const payload = readShape(SHAPES[type] as Typed<PayloadOf<T>>, envelope.payload);
  const handle = handlers[type] as (payload: PayloadOf<T>, envelope: Envelope) => void;
  if (payload.ok) handle(payload.value, envelope);
  else handlers.ignored(`invalid ${type}: ${payload.error}`);
}
