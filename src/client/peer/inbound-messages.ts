import { firstIssue, type Envelope } from "../../protocol/envelope.ts";
import { GO_P2P_REQUESTS, PAYLOADS, type PayloadOf } from "../../protocol/messages.ts";

/** The messages of the mesh that a peer acts on. */
const INBOUND = [
  "ping",
  "welcome",
  "rejection",
  "task_offer",
  "task_cancel",
  "task_shown",
  "sample",
  "error",
  "disconnect",
  ...GO_P2P_REQUESTS,
] as const;
type Inbound = (typeof INBOUND)[number];

export type Receivers = {
  readonly [T in Inbound]: (payload: PayloadOf<T>, envelope: Envelope) => void;
} & { readonly ignored: (reason: string) => void };

/** Reads a message's payload and hands it to the one that is meant for its type. */
export function dispatch(envelope: Envelope, receivers: Receivers): void {
  const type = INBOUND.find((known) => known === envelope.type);
  if (type === undefined) return receivers.ignored(`a message of type ${envelope.type}`);
  deliver(type, envelope, receivers);
}

function deliver<T extends Inbound>(type: T, envelope: Envelope, receivers: Receivers): void {
  const payload = PAYLOADS[type].safeParse(envelope.payload);
  const receive = receivers[type] as (payload: PayloadOf<T>, envelope: Envelope) => void;
  if (payload.success) receive(payload.data as PayloadOf<T>, envelope);
  else receivers.ignored(`a ${type} that is not valid: ${firstIssue(payload.error)}`);
}
