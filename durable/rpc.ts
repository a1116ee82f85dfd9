import type { Result } from "../src/base/result.ts";
import type { CommandName } from "../src/contract/commands.ts";
import type { DialOrder, EndFault } from "../src/peers/session-orders.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { GoP2pRequest, PayloadOf, TaskOffer } from "../src/protocol/messages.ts";

/**
 * What the objects offer each other. Every call begins with the version: during a deploy both versions of the code
 * run at once, and one that is not understood must be refused, never guessed at.
 */
export interface CoordinatorRpc extends Rpc.DurableObjectBranded {
  /** The answer belongs to the command; `coordinatorOf` ties the two types together for its callers. */
  execute(
    version: number,
    actor: string,
    name: CommandName,
    input: unknown,
  ): Promise<Result<unknown, MusterError>>;
  /** Returns once the task has ended, or after `ms` milliseconds. */
  awaitTaskEnd(version: number, taskId: string, ms: number): Promise<void>;
}

/** Whether a session that is spoken to by its epoch is there, and for an offer whether its peer is heard of. */
export type Delivery = "delivered" | "silent" | "no_session";

/** What came of a request to a peer; `reply` is a `PeerReply` when there is one, null else. */
export interface Called {
  readonly outcome: "answered" | "no_session" | "timeout";
  readonly reply: unknown;
}

export interface PeerSessionRpc extends Rpc.DurableObjectBranded {
  fetch(request: Request): Promise<Response>;
  offer(version: number, epoch: number, offer: TaskOffer): Promise<Delivery>;
  /** Asks the peer whether it is there. */
  probe(version: number, epoch: number): Promise<Delivery>;
  cancel(
    version: number,
    epoch: number,
    taskId: string,
    fence: number,
    reason: string,
  ): Promise<Delivery>;
  /** Asks the peer one of go-p2p's requests, and returns its answer, or after `timeoutMs`. */
  call(
    version: number,
    epoch: number,
    request: GoP2pRequest,
    payload: unknown,
    timeoutMs: number,
  ): Promise<Called>;
  /** Tells a peer that a task which it gave has ended. */
  report(version: number, epoch: number, shown: PayloadOf<"task_shown">): Promise<Delivery>;
  /** Returns once the attempt is under way; what comes of it the coordinator hears from the session. */
  dial(version: number, order: DialOrder): Promise<void>;
  /** Returns once no session of this epoch is open any more. */
  end(version: number, epoch: number, fault: EndFault): Promise<Delivery>;
}

/** Throws for a call of another version: a deploy is under way. */
export function requireVersion(version: number): void {
  if (version !== RPC_VERSION)
    throw new Error(`a call of version ${version}; this object speaks ${RPC_VERSION}`);
}
