import type { Bytes } from "../base/bytes.ts";
import type { ExactJson } from "../base/json-text/json-text.ts";
import type { SessionAnswer, SessionCommand } from "../contract/commands.ts";
import type { CloseCode, ErrorCode, SessionFault } from "../protocol/errors.ts";
import type { PeerReply } from "../protocol/http.ts";
import type { GoP2pRequest, PayloadOf, TaskOffer } from "../protocol/messages.ts";
import type { DrainOrder } from "../peers/session-orders.ts";
import type { OutboundMessage } from "./outbound-message.ts";
import type { Session } from "./state.ts";

/** What happens to a session. */
export type SessionEvent =
  /** The socket that the mesh dialed is open. */
  | { readonly type: "opened" }
  | { readonly type: "frame"; readonly data: string | Bytes }
  /** The handshake was not complete within 10 s. */
  | { readonly type: "handshake_timeout" }
  /**
   * The coordinator answered a command of this session. Other events may have happened since the command was sent.
   * `messageId`: the peer's message that caused the command; null when none did.
   */
  | {
      readonly type: "answered";
      readonly answer: SessionAnswer;
      readonly messageId: string | null;
    }
  /** The commands that had been sent when a step asked for it (`await_answers`) are answered. */
  | { readonly type: "all_answered"; readonly pingId: string; readonly sentAt: number }
  /** The time that `dueAt` named has come. */
  | { readonly type: "due" }
  /** The coordinator asks the session to check that the peer is there. */
  | { readonly type: "probe" }
  | { readonly type: "offer"; readonly offer: TaskOffer }
  /** A caller of the HTTP API sends the peer a go-p2p request; `id` is the ID of the message, which the reply names. */
  | {
      readonly type: "call";
      readonly id: string;
      readonly request: GoP2pRequest;
      readonly payload: ExactJson;
    }
  | {
      readonly type: "cancel";
      readonly taskId: string;
      readonly fence: number;
      readonly reason: string;
    }
  /** The coordinator asks for a task that waits at the peer for a slot. */
  | { readonly type: "recall"; readonly taskId: string; readonly fence: number }
  /** The operator drains the peer. */
  | { readonly type: "drain"; readonly order: DrainOrder }
  /** A task that the peer assigned has ended. */
  | { readonly type: "report"; readonly shown: PayloadOf<"task_shown"> }
  /** The session must end now. */
  | { readonly type: "end"; readonly fault: SessionFault }
  /** The socket is closed; `silent` when the connection was lost without a close by the peer. */
  | { readonly type: "closed"; readonly reason: string; readonly silent: boolean };

/** What the Durable Object does after a step, in this order. */
export type SessionEffect =
  | { readonly type: "send"; readonly frame: string | Bytes }
  /** `fault`: why the session ends, if its peer has not said goodbye. */
  | {
      readonly type: "close";
      readonly code: CloseCode;
      readonly reason: string;
      readonly fault?: ErrorCode;
    }
  /** The peer's reply to a call. */
  | { readonly type: "call_answered"; readonly callId: string; readonly reply: PeerReply }
  /** The request of a call was not sent: it is larger than the peer's `max_frame`. */
  | { readonly type: "call_too_large"; readonly callId: string }
  /** The offer was not sent: the peer has not been heard for too long. */
  | { readonly type: "offer_withheld" }
  /** Steps `all_answered` once the commands that this socket has sent so far are answered, and the answers stepped. */
  | { readonly type: "await_answers"; readonly pingId: string; readonly sentAt: number }
  /** Sends a command to the coordinator; its answer comes back as the event `answered`, with the same `messageId`. */
  | {
      readonly type: "command";
      readonly command: SessionCommand;
      readonly messageId: string | null;
    };

export interface Step {
  readonly session: Session;
  readonly effects: readonly SessionEffect[];
}

/** What a handler wants done: an effect, or a message (`sealMove` seals messages in their order). */
export type Intent = SessionEffect | ({ readonly type: "message" } & OutboundMessage);

export interface Move {
  readonly session: Session;
  readonly intents: readonly Intent[];
}
