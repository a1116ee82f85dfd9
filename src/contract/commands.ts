import type {
  AllowBody,
  AllowEntry,
  AuditView,
  BatchView,
  CreateJoinKey,
  CreateToken,
  JoinKeyView,
  PointerList,
  PointerQuery,
  PointerView,
  Scope,
  TokenView,
  AuthMode,
  PairRttView,
  PeerState,
  PeerView,
  ScoreView,
  SubmitTask,
  WhyView,
  TaskState,
  TaskSummary,
  TaskView,
  WebhookSourceView,
  DeliveryOutcome,
  KeptDelivery,
  DialView,
} from "../protocol/http.ts";
import type { Millis } from "../base/clock.ts";
import type { AdvertisedPeer } from "../peers/advertised-peer.ts";
import type { Publication } from "../discovery/publisher.ts";
import type { DialRef, ProvedKey } from "../peers/dial.ts";
import type { JoinRequest } from "../peers/join-request.ts";
import type { DiscoveryKeys } from "../protocol/discovery.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Announce, GoP2pRequest, Reconnect, Role, TaskResult } from "../protocol/messages.ts";
import type { RttEstimate } from "../scoring/rtt.ts";
import type { WebhookSource } from "../registry/webhook-sources.ts";
import type { CopiedDirectory } from "../registry/copies.ts";
import type { OutboxItem } from "../registry/outbox.ts";
import type { WebhookDelivery } from "../registry/webhook-deliveries.ts";
import type { Answer, Verdict } from "../webhooks/index.ts";
import type { AssignerCommands } from "./session-task-commands.ts";
import type { FromSession, Nothing, OfAttempt, OfTask } from "./inputs.ts";
import type { EndFault, SessionRef } from "./session-orders.ts";
import type { ResultCommands } from "./result-commands.ts";
import type { Replication } from "./replication.ts";

/** A session proved a key and asks whether its peer may come in; `session` names the object that holds it. */
export interface AdmitInput extends JoinRequest {
  readonly session: string;
}

export interface Admitted {
  readonly epoch: number;
  readonly role: Role;
  /** What is known of the RTT to it, its proof's included. */
  readonly rtt: RttEstimate;
  /** Its turn when many come back at once. */
  readonly reconnect: Reconnect;
  /** When the last of the leases that it holds from before is over; absent when it holds none. */
  readonly leasedUntil?: Millis;
  /** What a member finds and opens peers with; absent for who is none. */
  readonly discovery?: DiscoveryKeys;
}

/** Until when the attempt holds its task unless it is renewed. */
interface Leased {
  readonly leasedUntil: Millis;
}

/** Set while the peer has not begun, and the task waits there for a slot. */
interface Unbegun {
  readonly queued?: boolean | undefined;
}

/** What a record that is being stored belongs to, and what it was made from. */
interface OfPublication {
  /** The epoch of the peer's session. */
  readonly session: number;
  /** The epoch of discovery. */
  readonly epoch: number;
  readonly fingerprint: string;
}

interface PageOf {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface SubmitInput {
  readonly task: SubmitTask;
  /** `api`, `peer`, or `webhook:` and the source's name. */
  readonly source: string;
  /** Who gives it: a token's ID, `admin`, a peer's ID. */
  readonly owner: string;
  readonly idempotency: { readonly key: string; readonly scope: string } | null;
}

export type SourceInput = Omit<WebhookSource, "createdAt" | "deliveries">;

/** Every command of the coordinator, with what it takes and what it answers. */
export interface Commands extends AssignerCommands, ResultCommands {
  // From sessions.
  admit: { input: AdmitInput; output: Admitted };
  observe: {
    /** `seq` grows with each observation of a session. */
    input: FromSession & {
      readonly seq: number;
      readonly event: "answered" | "missed_answer";
      readonly rtt: RttEstimate | null;
    };
    output: { readonly suspect: boolean };
  };
  /**
   * By the epoch, or by the object's name where only that is left of the session. `silent`: the peer was not heard of any
   * more, rather than having said or been told goodbye.
   */
  gone: {
    input: { readonly peerId: PeerId; readonly reason: string; readonly silent: boolean } & (
      | { readonly epoch: number }
      | { readonly session: string }
    );
    output: Nothing;
  };
  announce: { input: FromSession & { readonly announced: Announce }; output: Nothing };
  /** The session has checked that the peer holds the new key as well. */
  rotate_peer: {
    input: FromSession & { readonly newPeerId: PeerId; readonly newPublicKey: string };
    output: Nothing;
  };
  /** A dialled session came to nothing; `proved` if its peer proved a key before. */
  dial_failed: {
    input: { readonly dial: DialRef; readonly error: string; readonly proved: ProvedKey | null };
    output: Nothing;
  };
  /** Round trips that the peer measured to others. */
  report_rtts: {
    input: FromSession & {
      readonly rtts: readonly { readonly to: PeerId; readonly rttMs: number }[];
    };
    output: Nothing;
  };
  /** What the peer tells of others; answered with IDs of pointers. */
  hear_advert: {
    input: FromSession & { readonly peers: readonly AdvertisedPeer[] };
    output: { readonly pointers: readonly string[] };
  };
  accept_task: { input: OfAttempt & Unbegun; output: Leased };
  refuse_task: { input: OfAttempt & { readonly reason: string }; output: Nothing };
  progress_task: {
    input: OfAttempt &
      Unbegun & { readonly progress: number | null; readonly message?: string | null };
    output: Leased;
  };
  finish_task: { input: FromSession & { readonly outcome: TaskResult }; output: Nothing };

  // From callers.
  submit_task: {
    input: SubmitInput;
    output: { readonly task: TaskView; readonly duplicate: boolean };
  };
  submit_batch: {
    input: Omit<SubmitInput, "task"> & { readonly tasks: readonly SubmitTask[] };
    output: BatchView;
  };
  get_task: { input: OfTask; output: TaskView };
  list_tasks: {
    input: PageOf & {
      readonly state?: TaskState | undefined;
      readonly kind?: string | undefined;
      readonly source?: string | undefined;
      readonly peer_id?: PeerId | undefined;
      readonly created_after?: string | undefined;
      readonly created_before?: string | undefined;
      readonly visibleTo: string | null;
    };
    output: { readonly tasks: TaskSummary[]; readonly next_cursor: string | null };
  };
  cancel_task: { input: OfTask; output: TaskView };
  why_task: { input: OfTask & { readonly attempt?: number | undefined }; output: WhyView };
  get_peer: { input: { readonly id: PeerId }; output: PeerView };
  get_score: { input: { readonly id: PeerId }; output: ScoreView };
  get_rtt: {
    input: { readonly id: PeerId; readonly other: PeerId };
    output: PairRttView;
  };
  list_peers: {
    input: PageOf & { readonly state?: PeerState | undefined; readonly role?: Role | undefined };
    output: { readonly peers: PeerView[]; readonly next_cursor: string | null };
  };
  /** Which session a go-p2p request to this peer goes to. */
  request_peer: {
    input: { readonly id: PeerId; readonly type: GoP2pRequest };
    output: SessionRef;
  };
  revoke_peer: { input: { readonly id: PeerId }; output: PeerView };
  forget_peer: { input: { readonly id: PeerId }; output: Nothing };
  /** Registers an address, or has one that is registered dialled now. */
  dial_peer: {
    input: { readonly url: string; readonly name: string; readonly key: ProvedKey | null };
    output: { readonly dial: DialView; readonly created: boolean };
  };
  list_dials: { input: Nothing; output: { readonly dials: DialView[] } };
  remove_dial: { input: { readonly id: string }; output: Nothing };
  get_auth_mode: { input: Nothing; output: { readonly mode: AuthMode } };
  set_auth_mode: { input: { readonly mode: AuthMode }; output: { readonly mode: AuthMode } };
  list_allowed: {
    input: Nothing;
    output: { readonly mode: AuthMode; readonly entries: AllowEntry[] };
  };
  allow: {
    input: AllowBody & { readonly publicKey: string; readonly peerId: PeerId };
    output: AllowEntry;
  };
  disallow: { input: { readonly publicKey: string }; output: Nothing };
  put_webhook_source: { input: SourceInput; output: WebhookSourceView };
  get_webhook_source: { input: { readonly name: string }; output: WebhookSourceView };
  /** With the sealed secret: for checking a delivery, never for a caller. */
  open_webhook_source: { input: { readonly name: string }; output: WebhookSource };
  list_webhook_sources: { input: Nothing; output: { readonly sources: WebhookSourceView[] } };
  /** A rightly signed delivery, with what it becomes: it is remembered whatever that is. */
  take_delivery: { input: DeliveryInput; output: TakenDelivery };
  list_deliveries: {
    input: PageOf & {
      readonly source: string;
      readonly outcome?: DeliveryOutcome | undefined;
    };
    output: { readonly deliveries: KeptDelivery[]; readonly next_cursor: string | null };
  };
  /** With what is sealed of it: for a replay or a dry run. */
  open_delivery: {
    input: { readonly source: string; readonly id: string };
    output: WebhookDelivery;
  };
  remove_webhook_source: { input: { readonly name: string }; output: Nothing };
  list_pointers: { input: { readonly query: PointerQuery }; output: PointerList };
  read_discovery: {
    input: {
      readonly id: string;
      /** Whether nothing need be shown. */
      readonly anybody: boolean;
      readonly credential: { readonly id: string; readonly hash: string };
      readonly reader: string;
    };
    output: DiscoveryRead;
  };
  discovery_keys: { input: { readonly tokenId: string }; output: DiscoveryKeys };

  create_token: { input: CreateToken; output: TokenView & { readonly token: string } };
  list_tokens: { input: Nothing; output: { readonly tokens: TokenView[] } };
  revoke_token: { input: { readonly id: string }; output: Nothing };
  authenticate: {
    input: { readonly id: string; readonly hash: string };
    output: { readonly id: string; readonly scope: Scope };
  };
  create_join_key: { input: CreateJoinKey; output: JoinKeyView & { readonly key: string } };
  list_join_keys: { input: Nothing; output: { readonly join_keys: JoinKeyView[] } };
  revoke_join_key: { input: { readonly id: string }; output: Nothing };
  list_audit: {
    input: PageOf & { readonly subject?: string | undefined; readonly act?: string | undefined };
    output: { readonly entries: AuditView[]; readonly next_cursor: string | null };
  };

  /** Owes a callback again that was given up or delivered. */
  repeat_callback: { input: OfTask; output: TaskView };

  // From the coordinator's own object, which performs effects and keeps time.
  offer_failed: {
    /** What was found instead of a session that takes offers: none, one whose peer is silent, or nothing is known. */
    input: OfAttempt & {
      readonly reason: string;
      readonly session: "gone" | "silent" | "unknown";
    };
    output: Nothing;
  };
  session_ended: { input: { readonly to: SessionRef; readonly fault: EndFault }; output: Nothing };
  probed: { input: { readonly to: SessionRef }; output: Nothing };
  /** `busy`: receivers that have as many attempts under way as they get. */
  claim_callback: {
    input: { readonly busy: readonly string[] };
    output: { readonly request: CallbackRequest | null };
  };
  callback_answered: {
    input: { readonly taskId: string; readonly attempt: number; readonly answer: Answer };
    output: Nothing;
  };
  outbox_failed: { input: Pick<OutboxItem, "kind" | "subject" | "failures">; output: Nothing };
  blob_deleted: { input: { readonly blobId: string }; output: Nothing };
  result_deleted: { input: { readonly blobId: string }; output: Nothing };
  /** Null: nothing is to be stored. */
  prepare_publication: {
    input: { readonly peerId: PeerId };
    output: (OfPublication & { readonly publication: Publication }) | null;
  };
  prepare_replication: { input: { readonly held: string | null }; output: Replication };
  blobs_copied: {
    input: { readonly blobIds: readonly string[]; readonly more: boolean };
    output: Nothing;
  };
  replicated: {
    input: { readonly copied: CopiedDirectory; readonly names: readonly string[] };
    output: Nothing;
  };
  copy_dropped: { input: { readonly key: string }; output: Nothing };
  published: {
    input: OfPublication & { readonly peerId: PeerId; readonly blobId: string };
    output: Nothing;
  };
  tick: { input: Nothing; output: Nothing };
}

export type CommandName = keyof Commands;
export type Input<K extends CommandName> = Commands[K]["input"];
export type Output<K extends CommandName> = Commands[K]["output"];

/** A delivery whose signature was right, or one that an operator repeats. */
export interface DeliveryInput {
  readonly source: string;
  readonly deliveryId: string;
  readonly bytes: number;
  /** What is kept of it, sealed; null for none. */
  readonly sealed: string | null;
  readonly verdict: Verdict;
  readonly replay: {
    readonly of: string;
    /** Makes another task of a delivery that became one; the key names that wish, so that it may be repeated. */
    readonly newTask: string | null;
  } | null;
}

export interface TakenDelivery {
  readonly outcome: DeliveryOutcome;
  readonly taskId: string | null;
  readonly detail: string | null;
  /** Why the coordinator took no task, when it did not. */
  readonly error: MusterError | null;
}

/** One attempt at a callback: what to send, and to whom. */
export interface CallbackRequest {
  readonly taskId: string;
  readonly attempt: number;
  readonly url: string;
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whether the caller may read discovery, and the pointer that it asked for, which is for who may alone. */
export interface DiscoveryRead {
  readonly allowed: boolean;
  readonly pointer: PointerView | null;
}
