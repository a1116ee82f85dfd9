import type { DialOrder, EndFault, SessionRef } from "../src/peers/session-orders.ts";
import { RPC_TIMEOUT, RPC_VERSION } from "../src/protocol/constants.ts";
import type { PayloadOf, TaskOffer } from "../src/protocol/messages.ts";
import { withDeadline } from "../src/base/deadline.ts";
import type { Env } from "./env.ts";
import type { EventOutcome, PeerSessionRpc } from "./rpc.ts";

/** The sessions' objects as the coordinator calls them. Every call has a deadline: each rejects when no answer comes in time. */
export class SessionPort {
  readonly #sessions: Env["PEER_SESSION"];

  constructor(sessions: Env["PEER_SESSION"]) {
    this.#sessions = sessions;
  }

  offer(to: SessionRef, offer: TaskOffer): Promise<EventOutcome> {
    return this.#call(to, (session) => session.offer(RPC_VERSION, to.epoch, offer));
  }

  probe(to: SessionRef): Promise<EventOutcome> {
    return this.#call(to, (session) => session.probe(RPC_VERSION, to.epoch));
  }

  cancel(to: SessionRef, taskId: string, fence: number, reason: string): Promise<EventOutcome> {
    return this.#call(to, (session) =>
      session.cancel(RPC_VERSION, to.epoch, taskId, fence, reason),
    );
  }

  report(to: SessionRef, shown: PayloadOf<"task_shown">): Promise<EventOutcome> {
    return this.#call(to, (session) => session.report(RPC_VERSION, to.epoch, shown));
  }

  end(to: SessionRef, fault: EndFault): Promise<EventOutcome> {
    return this.#call(to, (session) => session.end(RPC_VERSION, to.epoch, fault));
  }

  /** One object per registered address makes all attempts to dial it, one after another. */
  dial(order: DialOrder): Promise<void> {
    const id = this.#sessions.idFromName(`dial:${order.dial.id}`);
    return withDeadline(this.#sessions.get(id).dial(RPC_VERSION, order), RPC_TIMEOUT);
  }

  #call<T>(
    { session }: SessionRef,
    send: (stub: DurableObjectStub<PeerSessionRpc>) => Promise<T>,
  ): Promise<T> {
    const stub = this.#sessions.get(this.#sessions.idFromString(session));
    return withDeadline(send(stub), RPC_TIMEOUT);
  }
}
