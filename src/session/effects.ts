import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Result } from "../base/result.ts";
import type { AdvertisedPeer } from "../peers/advertised-peer.ts";
import type { DialRef, ProvedKey } from "../peers/dial.ts";
import type { JoinRequest } from "../peers/join-request.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { DiscoveryKeys } from "../protocol/discovery.ts";
import type { CloseCode, MusterError, SessionFault } from "../protocol/errors.ts";
import type { PeerReply, SubmitTask } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type {
  Announce,
  GoP2pRequest,
  HeldTask,
  PayloadOf,
  Reconnect,
  Role,
  TaskOffer,
  TaskResult,
} from "../protocol/messages.ts";
import type { RttEstimate } from "../scoring/rtt.ts";
import type { Session } from "./state.ts";

interface FromPeer {
  readonly peerId: PeerId;
  readonly epoch: number;
}
interface OfAttempt extends FromPeer {
  readonly taskId: string;
  readonly fence: number;
}

/** What a peer tells of others. */
export interface Advertised extends FromPeer {
  readonly peers: readonly AdvertisedPeer[];
}

/** What a session tells the coordinator; each name is one of its commands. */
export type Note =
  | {
      readonly name: "observe";
      readonly input: FromPeer & {
        /** Grows with each, so that one that was overtaken changes nothing. */
        readonly seq: number;
        readonly event: "answered" | "missed_answer";
        readonly rtt: RttEstimate | null;
      };
    }
  | {
      readonly name: "gone";
      readonly input: FromPeer & { readonly reason: string; readonly silent: boolean };
    }
  | {
      readonly name: "accept_task";
      readonly input: OfAttempt & { readonly queued?: boolean | undefined };
    }
  | {
      readonly name: "dial_failed";
      readonly input: {
        /** Empty when the peer has not said who it is. */
        readonly peerId: PeerId;
        readonly dial: DialRef;
        readonly error: string;
        readonly proved: ProvedKey | null;
      };
    }
  | { readonly name: "refuse_task"; readonly input: OfAttempt & { readonly reason: string } }
  | {
      readonly name: "progress_task";
      readonly input: OfAttempt & {
        readonly progress: number | null;
        readonly message: string | null;
        readonly queued?: boolean | undefined;
      };
    }
  | {
      readonly name: "rotate_peer";
      readonly input: FromPeer & { readonly newPeerId: PeerId; readonly newPublicKey: string };
    }
  | {
      readonly name: "report_rtts";
      readonly input: FromPeer & {
        readonly rtts: readonly { readonly to: PeerId; readonly rttMs: number }[];
      };
    }
  | { readonly name: "announce"; readonly input: FromPeer & { readonly announced: Announce } }
  | { readonly name: "finish_task"; readonly input: FromPeer & { readonly outcome: TaskResult } };

/** What a peer asks of the coordinator and is answered; each name is one of its commands. */
export type Question =
  /** It tells of other peers; answered by IDs of pointers. */
  | { readonly name: "hear_advert"; readonly input: Advertised }
  /** A controller gives a task, asks after one of its own, or takes it back; answered by the task. */
  | {
      readonly name: "assign_task";
      readonly input: FromPeer & { readonly task: SubmitTask; readonly key: string | null };
    }
  | {
      readonly name: "query_task" | "recall_task";
      readonly input: FromPeer & { readonly id: string };
    };

/** What the coordinator grants with an admission. */
export interface Granted {
  readonly epoch: number;
  readonly role: Role;
  readonly rtt: RttEstimate;
  readonly reconnect: Reconnect;
  /** When the last of the leases that it holds from before is over; absent when it holds none. */
  readonly leasedUntil?: Millis;
  /** What a member finds other peers with. */
  readonly discovery?: DiscoveryKeys;
}

/** The attempt that a note speaks of; null for those of none. */
export function attemptOf(note: Note): HeldTask | null {
  switch (note.name) {
    case "accept_task":
    case "refuse_task":
    case "progress_task":
      return { task_id: note.input.taskId, fence: note.input.fence };
    case "finish_task":
      return { task_id: note.input.outcome.task_id, fence: note.input.outcome.fence };
    case "observe":
    case "gone":
    case "dial_failed":
    case "rotate_peer":
    case "announce":
    case "report_rtts":
      return null;
    default:
      return note satisfies never;
  }
}

/** What happens to a session. */
export type SessionEvent =
  /** The socket that the mesh dialled is open. */
  | { readonly type: "opened" }
  | { readonly type: "frame"; readonly data: string | Bytes }
  /** The 10 s for the handshake are over. */
  | { readonly type: "handshake_timeout" }
  /** The coordinator answered the admission that this session asked for. */
  | {
      readonly type: "admitted";
      readonly result: Result<Granted, MusterError>;
    }
  /** The coordinator took an observation, and holds the peer for suspect or not. */
  | { readonly type: "judged"; readonly suspect: boolean }
  /** The coordinator renewed a lease of the peer's. */
  | { readonly type: "leased"; readonly until: Millis }
  /** The coordinator refused a note that the message of this ID had caused; `about`: the attempt that it spoke of. */
  | {
      readonly type: "refused";
      readonly messageId: string;
      readonly error: MusterError;
      readonly about: HeldTask | null;
    }
  /** The coordinator answered the advert that came in the message of this ID. */
  | { readonly type: "sampled"; readonly messageId: string; readonly pointers: readonly string[] }
  /** What has become of a task that the peer gave: the answer to the message of this ID, or unasked. */
  | {
      readonly type: "shown";
      readonly messageId: string | null;
      readonly shown: PayloadOf<"task_shown">;
    }
  /** The time that `dueAt` named has come. */
  | { readonly type: "due" }
  /** The coordinator doubts that the peer is there. */
  | { readonly type: "probe" }
  | { readonly type: "offer"; readonly offer: TaskOffer }
  /** Somebody asks the peer something; `id` is the message's, which the reply will name. */
  | {
      readonly type: "call";
      readonly id: string;
      readonly request: GoP2pRequest;
      readonly payload: Json;
    }
  | {
      readonly type: "cancel";
      readonly taskId: string;
      readonly fence: number;
      readonly reason: string;
    }
  /** The coordinator ends this session. */
  | { readonly type: "end"; readonly fault: SessionFault }
  /** The socket is closed; `silent` when no close frame of the peer said so. */
  | { readonly type: "closed"; readonly reason: string; readonly silent: boolean };

/** What the Durable Object does after a step, in this order. */
export type SessionEffect =
  | { readonly type: "send"; readonly frame: string | Bytes }
  | { readonly type: "close"; readonly code: CloseCode; readonly reason: string }
  | { readonly type: "admit"; readonly request: JoinRequest }
  /** The peer's answer to a call. */
  | { readonly type: "answer"; readonly callId: string; readonly reply: PeerReply }
  /** The offer was not handed over: the peer has not been heard of for too long. */
  | { readonly type: "withheld" }
  /** `messageId`: the peer's message that gave rise to it, so that a refusal can be answered. */
  | { readonly type: "tell"; readonly note: Note; readonly messageId: string | null }
  /** The coordinator is asked; what it answers comes back as `sampled` or `shown`, or as `refused`. */
  | { readonly type: "ask"; readonly question: Question; readonly messageId: string };

export interface Step {
  readonly session: Session;
  readonly effects: readonly SessionEffect[];
}

/** What a handler wants done: as above, but messages are not sealed yet (`step` does that, in their order). */
export type Intent = SessionEffect | { readonly type: "say"; readonly envelope: Envelope };

export interface Move {
  readonly session: Session;
  readonly intents: readonly Intent[];
}
