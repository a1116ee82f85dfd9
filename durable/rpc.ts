import type { Result } from "../src/base/result.ts";
import type { CommandName } from "../src/contract/commands.ts";
import type { DialOrder, EndFault } from "../src/peers/session-orders.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { GoP2pRequest, PayloadOf, TaskOffer } from "../src/protocol/messages.ts";

/**
 * The methods that the objects call on each other. Every call begins with the version: during a deploy both versions of the
 * code run at once, and a call of another version must be refused.
 */
export interface CoordinatorRpc extends Rpc.DurableObjectBranded {
  /** Runs one command. Its answer belongs to the command; coordinator-port.ts ties the two types together. */
  execute(
    version: number,
    actor: string,
    name: CommandName,
    input: unknown,
  ): Promise<Result<unknown, MusterError>>;
  /** Returns once the task has ended, or after `ms` milliseconds. */
  awaitTaskEnd(version: number, taskId: string, ms: number): Promise<void>;
}

/** `silent`: the session exists, but its peer was not heard lately, so the offer was not sent. */
export type EventOutcome = "delivered" | "silent" | "no_session";

/** The outcome of a request to a peer; `reply` is a `PeerReply` when the peer answered, null otherwise. */
export interface RequestOutcome {
  readonly outcome: "answered" | "no_session" | "timeout";
  readonly reply: unknown;
}

/**
 * No method waits for a command of the session to the coordinator, because the coordinator waits for the method. The one
 * exception: a call that names an epoch which the object does not know yet waits for the answer to the admission in progress,
 * because the coordinator has then decided that admission and its answer is on the way.
 */
export interface PeerSessionRpc extends Rpc.DurableObjectBranded {
  fetch(request: Request): Promise<Response>;
  offer(version: number, epoch: number, offer: TaskOffer): Promise<EventOutcome>;
  /** Pings the peer; the session reports the outcome by itself. */
  probe(version: number, epoch: number): Promise<EventOutcome>;
  cancel(
    version: number,
    epoch: number,
    taskId: string,
    fence: number,
    reason: string,
  ): Promise<EventOutcome>;
  /** Sends the peer a go-p2p request; returns when it has answered, or after `timeoutMs`. */
  call(
    version: number,
    epoch: number,
    request: GoP2pRequest,
    payload: unknown,
    timeoutMs: number,
  ): Promise<RequestOutcome>;
  /** Reports to a controller that a task which it assigned has ended. */
  report(version: number, epoch: number, shown: PayloadOf<"task_shown">): Promise<EventOutcome>;
  /** Returns once the attempt has begun; the session reports the outcome by itself. */
  dial(version: number, order: DialOrder): Promise<void>;
  /** Returns once the session of this epoch has ended and its socket is closed. */
  end(version: number, epoch: number, fault: EndFault): Promise<EventOutcome>;
}

/** Throws for a call of another version: a deploy is in progress. */
export function requireVersion(version: number): void {
  if (version !== RPC_VERSION)
    throw new Error(`the call has RPC version ${version}; this object has ${RPC_VERSION}`);
}
