import { withDeadline } from "../src/base/deadline.ts";
import type { DialOrder, EndFault, SessionRef } from "../src/peers/session-orders.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import { GO_P2P_DEPLOY } from "../src/protocol/messages.ts";
import type { Answer } from "../src/webhooks/index.ts";
import { BatchSender } from "./batch-sender.ts";
import type { CallbackPost } from "./callback-sender.ts";
import type { Env } from "./env.ts";
import type { DeliveredEvent, EventOutcome, PeerSessionRpc, RpcDelivery } from "./rpc.ts";

/** Events in one call: offers hold payloads of up to 256 KiB, and a call of the platform at most 32 MiB. */
const DELIVERIES_MAX = 64;
/** A deploy's payload has up to 1 MiB: its offer takes the place of so many others. */
const DEPLOY_WEIGHT = 4;

const weightOf = ({ event }: RpcDelivery): number =>
  event.type === "offer" && event.offer.kind === GO_P2P_DEPLOY ? DEPLOY_WEIGHT : 1;

/** The sessions' objects as the coordinator calls them. Every call has a deadline: each rejects when no answer comes in time. */
export class SessionPort {
  readonly #sessions: Env["PEER_SESSION"];
  /** The events that gather for an object while a call to it is under way, by the object's ID. */
  readonly #senders = new Map<string, BatchSender<RpcDelivery, EventOutcome>>();

  constructor(sessions: Env["PEER_SESSION"]) {
    this.#sessions = sessions;
  }

  /** Delivers an event, together with others for the same object and in the order of the calls. */
  async deliver({ session, epoch }: SessionRef, event: DeliveredEvent): Promise<EventOutcome> {
    const sender = this.#senders.get(session) ?? this.#newSender(session);
    try {
      return await sender.send({ epoch, event });
    } finally {
      if (sender.isIdle && this.#senders.get(session) === sender) this.#senders.delete(session);
    }
  }

  end(to: SessionRef, fault: EndFault): Promise<EventOutcome> {
    return withDeadline(this.#stubOf(to.session).end(RPC_VERSION, to.epoch, fault), RPC_TIMEOUT);
  }

  /** One object per registered address makes all attempts to dial it, one after another. */
  dial(order: DialOrder): Promise<void> {
    const id = this.#sessions.idFromName(`dial:${order.dial.id}`);
    return withDeadline(this.#sessions.get(id).dial(RPC_VERSION, order), RPC_TIMEOUT);
  }

  /** A few objects make the attempts at callbacks, and one those at alert webhooks: each has connections of its own. */
  sendCallback(sender: number | "alerts", post: CallbackPost): Promise<Answer> {
    const id = this.#sessions.idFromName(sender === "alerts" ? sender : `callbacks:${sender}`);
    const sent = this.#sessions.get(id).sendCallback(RPC_VERSION, post);
    return withDeadline(sent, post.timeoutMs + RPC_TIMEOUT);
  }

  #newSender(session: string): BatchSender<RpcDelivery, EventOutcome> {
    const sender = new BatchSender<RpcDelivery, EventOutcome>(
      { max: DELIVERIES_MAX, weightOf },
      (deliveries) =>
        withDeadline(this.#stubOf(session).deliver(RPC_VERSION, deliveries), RPC_TIMEOUT),
    );
    this.#senders.set(session, sender);
    return sender;
  }

  #stubOf(session: string): DurableObjectStub<PeerSessionRpc> {
    return this.#sessions.get(this.#sessions.idFromString(session));
  }
}
