import type { ExactJson } from "../src/base/json-text/json-text.ts";
import type { Alternative, CellDigest, KindDigest } from "../src/cells/cell-digest.ts";
import type { Topology } from "../src/cells/topology.ts";
import type { CommandAnswer, Input, SentCommand } from "../src/contract/commands.ts";
import type { DialOrder, EndFault } from "../src/peers/session-orders.ts";
import { RPC_VERSION } from "../src/protocol/constants.ts";
import type { GoP2pRequest } from "../src/protocol/messages.ts";
import type { SessionEvent } from "../src/session/effects.ts";
import type { Answer } from "../src/webhooks/index.ts";
import type { CallbackPost } from "./callback-sender.ts";

/**
 * The methods that the objects call on each other. Every call begins with the version: during a deploy both versions of the
 * code run at once, and a call of another version must be refused.
 */
export interface CoordinatorRpc extends Rpc.DurableObjectBranded {
  /** Runs one caller's commands in their order. Each answer belongs to its command; coordinator-port.ts ties the types together. */
  execute(
    version: number,
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<CellAnswer>;
  /** Submits a task. Answers once it has ended, or with the task as it is after `ms` milliseconds. */
  submitAndWait(
    version: number,
    actor: string,
    input: Input<"submit_task">,
    ms: number,
    to: CellTarget,
  ): Promise<CellAnswer>;
  /** Answers with a task once it has ended, or as it is after `ms` milliseconds. */
  getOnceEnded(
    version: number,
    actor: string,
    input: Input<"get_task">,
    ms: number,
    to: CellTarget,
  ): Promise<CellAnswer>;
  /** Opens a stream of events: the answer has its socket, or an error (`durable/event-stream-request.ts`). */
  fetch(request: Request): Promise<Response>;
  /** Makes the rows of an import those of the mesh. The object is then opened anew. */
  commitImport(version: number, actor: string, id: string, parts: number): Promise<RpcAnswer>;
}

export type RpcCommand = SentCommand;
export type RpcAnswer = CommandAnswer;

/** Which cell a call is for, and by which version of the topology its caller knows that; null if it does not matter. */
export interface CellTarget {
  readonly cell: number;
  readonly topology: number | null;
  /** Whether the caller wants the cell's digest with the answer. */
  readonly digest?: boolean;
  /** What the caller could do with the task that it submits instead: then the answer brings the cell's load for its kind. */
  readonly alternative?: Alternative;
}

/**
 * What a cell answers: one answer to each command, and after them its digest or its load for a kind if the caller wants it. If the caller knows
 * another topology, only that; if the task should go to another cell, that instead of answers: then the cell has done nothing.
 */
export type CellAnswer = readonly (RpcAnswer | Moved | Digested | Loaded | SentElsewhere)[];

/** The topology that the cell knows. */
export interface Moved {
  readonly moved: Topology;
}

/** What the cell says about its load. */
interface Digested {
  readonly digest: CellDigest;
}

/** What it says about its load for a kind. */
interface Loaded {
  readonly load: KindDigest;
}

/** The cell has run nothing, and the task should go to the other cell: because of this load; null: because it does not know enough of the mesh yet. */
interface SentElsewhere {
  readonly elsewhere: KindDigest | null;
}

/** An event that the coordinator sends to the session of an epoch. */
export interface RpcDelivery {
  readonly epoch: number;
  readonly event: DeliveredEvent;
}

/** The events that the coordinator sends to a session without waiting for what follows from them. */
export type DeliveredEvent = Extract<
  SessionEvent,
  { readonly type: "offer" | "cancel" | "recall" | "drain" | "report" | "probe" }
>;

/** `silent`: the session exists, but its peer was not heard lately, so the offer was not sent. */
export type EventOutcome = "delivered" | "silent" | "no_session";

/**
 * The outcome of a request to a peer; `reply` is a `PeerReply` when the peer answered, null otherwise. `too_large`: it was not sent,
 * because the peer takes no frame of its size.
 */
export interface RequestOutcome {
  readonly outcome: "answered" | "no_session" | "timeout" | "too_large";
  readonly reply: unknown;
}

/**
 * No method waits for a command of the session to the coordinator, because the coordinator waits for the method. The one
 * exception: a call that names an epoch which the object does not know yet waits for the answer to the admission in progress,
 * because the coordinator has then decided that admission and its answer is on the way.
 */
export interface PeerSessionRpc extends Rpc.DurableObjectBranded {
  fetch(request: Request): Promise<Response>;
  /** Delivers events in their order; answers with the outcome of each. */
  deliver(version: number, deliveries: readonly RpcDelivery[]): Promise<readonly EventOutcome[]>;
  /** Sends the peer a go-p2p request; returns when it has answered, or after `timeoutMs`. */
  call(
    version: number,
    epoch: number,
    request: GoP2pRequest,
    payload: ExactJson,
    timeoutMs: number,
  ): Promise<RequestOutcome>;
  /** Returns once the attempt has begun; the session reports the outcome by itself. */
  dial(version: number, order: DialOrder): Promise<void>;
  /** Whether the peer of this session answers a ping at once. */
  answers(version: number, epoch: number): Promise<boolean>;
  /** Makes one attempt at a callback. The object has no session. */
  sendCallback(version: number, post: CallbackPost): Promise<Answer>;
  /** Returns once the session of this epoch has ended and its socket is closed. */
  end(version: number, epoch: number, fault: EndFault): Promise<EventOutcome>;
}

/** Throws for a call of another version: a deploy is in progress. */
export function requireVersion(version: number): void {
  if (version !== RPC_VERSION)
    throw new Error(`the call has RPC version ${version}; this object has ${RPC_VERSION}`);
}
