import { z } from "zod";
import { fromBase64 } from "../base/bytes.ts";
import {
  ADDRESS_CHARS_MAX,
  ADVERT_PEERS_MAX,
  CHALLENGE_BYTES,
  HELD_TASKS_MAX,
  RECONNECT_POSITION_MAX,
  PROGRESS_MESSAGE_CHARS_MAX,
  RTT_MAX_MS,
  RTTS_PER_MESSAGE_MAX,
  SAMPLE_POINTERS_MAX,
  SLOTS_MAX,
  TASK_ERROR_CHARS_MAX,
} from "./constants.ts";
import { DiscoveryKeys } from "./discovery.ts";
import { JsonValue } from "./envelope.ts";
import { Capabilities, Role, TaskKind } from "./labels.ts";
import { SubmitTask, TaskView } from "./http/tasks.ts";
import {
  IdempotencyKey,
  Name,
  OpaqueId,
  PeerId,
  PublicKeyBase64,
  PublicKeyHex,
  Uuid,
} from "./ids.ts";

export {
  Capabilities,
  Capability,
  CapabilityRequirement,
  Role,
  ROLES,
  TaskKind,
} from "./labels.ts";

/** What a peer that speaks Muster's own messages adds to its go-p2p identity; Go ignores it. */
export const MusterField = z.object({
  v: z.literal(1),
  capabilities: Capabilities.default([]),
  slots: z.int().min(0).max(SLOTS_MAX).default(1),
  prefetch: z.boolean().optional(),
});
export type MusterField = z.infer<typeof MusterField>;

export const Identity = z.object({
  id: PeerId,
  name: Name,
  publicKey: PublicKeyBase64,
  createdAt: z.iso.datetime({ offset: true }),
  role: Role,
  muster: MusterField.optional(),
});
export type Identity = z.infer<typeof Identity>;

const Challenge = z
  .string()
  .refine(
    (text) => fromBase64(text)?.length === CHALLENGE_BYTES,
    "a challenge is the base64 of 32 bytes",
  );

/** `version` is any string here, so that a wrong one gets an answer that names the right one. */
export const Handshake = z.object({
  identity: Identity,
  challenge: Challenge,
  version: z.string().max(16),
});
export const HandshakeAck = z.object({
  identity: Identity,
  challengeResponse: z.string().max(64).optional(),
  accepted: z.boolean(),
  reason: z.string().max(500).optional(),
});

/** `sentAt` is Unix milliseconds. Muster times a pong by what it stored, never by what is echoed. */
export const Ping = z.object({ sentAt: z.number() });
export const Pong = z.object({ sentAt: z.number(), receivedAt: z.number() });
/**
 * When a peer whose session breaks may come back, so that many arrive at a set rate: `slot` / `per_second` seconds after
 * the break, later with jitter. Go ignores it.
 */
export const Reconnect = z.object({
  slot: z.int().min(0).max(RECONNECT_POSITION_MAX),
  per_second: z.number().positive(),
});
export type Reconnect = z.infer<typeof Reconnect>;

export const Disconnect = z.object({
  reason: z.string().max(500).default(""),
  code: z.number().default(0),
  reconnect: Reconnect.optional(),
});
/** `details`: the mesh's own, stable code; `retry_after`: seconds after which trying again makes sense. */
export const ErrorMessage = z.object({
  code: z.number(),
  message: z.string().max(2_000),
  details: z.string().optional(),
  retry_after: z.number().optional(),
});

/** go-p2p's requests and the reply that answers each. */
export const GO_P2P_REPLIES = {
  get_stats: "stats",
  get_logs: "logs",
  start_miner: "miner_ack",
  stop_miner: "miner_ack",
  deploy: "deploy_ack",
} as const;
export type GoP2pRequest = keyof typeof GO_P2P_REPLIES;
export const GO_P2P_REQUESTS = Object.keys(GO_P2P_REPLIES) as GoP2pRequest[];
/** A reply's type: what answers the request, or `error`. */
export type GoP2pReply = (typeof GO_P2P_REPLIES)[GoP2pRequest] | "error";

/** Kind of the tasks that are one go-p2p request: `go-p2p/` and the request's type. */
export const GO_P2P_KIND = "go-p2p/";

/** A fencing number: one per attempt, only growing; whoever speaks of an attempt names it. */
const Fence = z.int().positive();
const TaskRef = { task_id: Uuid, fence: Fence };

/** An attempt that a peer still works on when it comes back. */
export const HeldTask = z.object(TaskRef);
export type HeldTask = z.infer<typeof HeldTask>;

export const Welcome = z.object({
  peer_id: PeerId,
  epoch: z.int().positive(),
  role: Role,
  mesh: z.object({
    id: PeerId,
    name: Name,
    public_key: PublicKeyHex,
    /** While the mesh rotates: the key that it will have next. */
    next_public_key: PublicKeyHex.optional(),
  }),
  reconnect: Reconnect.optional(),
  /** For members over muster.2: what finds and opens other peers. */
  discovery: DiscoveryKeys.optional(),
});
/** Why a proved peer is not let in; the socket closes behind it. */
export const Rejection = z.object({ code: z.string().max(64), reason: z.string().max(500) });
/**
 * A peer's new key, in a session that the old key has proved. `proof` shows that the sender holds the new one:
 * HMAC-SHA256(SHA-256("muster/2 rotate" + X25519(new, mesh)), old ID + new public key).
 */
export const Rotate = z.object({
  public_key: PublicKeyHex,
  proof: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What a muster.2 peer says of itself in the handshake's third message, encrypted. */
export const Hello = z.object({
  name: Name,
  role: Role,
  capabilities: Capabilities.default([]),
  slots: z.int().min(0).max(SLOTS_MAX).default(1),
  /** Whether it takes one task more than it has slots, and begins it the moment one is free. */
  prefetch: z.boolean().optional(),
  /** What the peer still works on; absent when it does not say. As many as fit beside the rest of the hello. */
  held: z.array(HeldTask).max(HELD_TASKS_MAX).optional(),
  join_key: z.string().max(200).optional(),
  client: z.string().max(100).optional(),
});
export type Hello = z.infer<typeof Hello>;
export const TaskOffer = z.object({
  ...TaskRef,
  kind: TaskKind,
  payload: JsonValue,
  attempt: z.int().positive(),
  lease_seconds: z.number().positive(),
  /** Seal the result to this X25519 key: its caller alone shall read it. */
  seal_to: PublicKeyHex.optional(),
  /** Lets this attempt, once, bring a result too large for a message: bearer token of `PUT /v1/task-results/:id/:fence`. */
  upload: z.string().max(200).optional(),
});
export type TaskOffer = z.infer<typeof TaskOffer>;
/** `queued`: taken, but not begun; it waits here for a slot, and goes to another peer that is free sooner. */
const Queued = { queued: z.boolean().optional() };
export const TaskAccept = z.object({ ...TaskRef, ...Queued });
export const TaskRefuse = z.object({ ...TaskRef, reason: z.string().max(500) });
export const TaskProgress = z.object({
  ...TaskRef,
  progress: z.number().min(0).max(1).optional(),
  message: z.string().max(PROGRESS_MESSAGE_CHARS_MAX).optional(),
  ...Queued,
});
/** Set when the result is not JSON itself, but the base64 of an STMF container that holds it. */
const Sealed = { sealed: z.boolean().optional() };
export const TaskResult = z.discriminatedUnion("ok", [
  z.object({ ...TaskRef, ok: z.literal(true), result: JsonValue, ...Sealed }),
  z.object({
    ...TaskRef,
    ok: z.literal(false),
    error: z.string().max(TASK_ERROR_CHARS_MAX),
    retry: z.boolean().default(true),
  }),
]);
export type TaskResult = z.infer<typeof TaskResult>;
/** What a peer says anew of itself while its session lives; what is left out stays as it was. */
export const Announce = z.object({
  capabilities: Capabilities.optional(),
  slots: z.int().min(0).max(SLOTS_MAX).optional(),
  prefetch: z.boolean().optional(),
});
export type Announce = z.infer<typeof Announce>;
export const TaskCancel = z.object({ ...TaskRef, reason: z.string().max(500) });

/** A controller gives a task over its session; under the same key it is given once, however often that is said. */
export const TaskAssign = z.object({
  task: SubmitTask,
  idempotency_key: IdempotencyKey.optional(),
});
/** What has become of a task that this peer gave, or (`task_recall`) a wish to have it cancelled. */
export const TaskQuery = z.object({ task_id: Uuid });
/** Answers these three, and comes by itself when a task that this peer gave has ended. */
export const TaskShown = z.object({
  task: TaskView,
  /** Bearer token of `GET /v1/task-results/:id`, where a result lies that is too large to stand in the task. */
  ticket: z.string().max(200).optional(),
});

/** What a peer tells of others that it knows: nothing of it is proved, so it makes nobody eligible for anything. */
export const Advert = z.object({
  peers: z
    .array(
      z.object({
        public_key: PublicKeyHex,
        /** Where the peer says that it listens; never dialled by the mesh unless the operator says so. */
        address: z
          .string()
          .max(ADDRESS_CHARS_MAX)
          .regex(/^[\x21-\x7e]*$/, "an address is visible ASCII")
          .default(""),
        role: Role,
        /** What the teller measured to it, in milliseconds. */
        rtt_ms: z.number().min(0).max(600_000).optional(),
      }),
    )
    .max(ADVERT_PEERS_MAX),
});
/** The mesh's answer to an advert: pointers of a few peers worth knowing. */
export const Sample = z.object({ pointers: z.array(OpaqueId).max(SAMPLE_POINTERS_MAX) });

/** Round trips that a peer measured to other peers of the mesh: believed for estimates alone. */
export const Rtts = z.object({
  rtts: z
    .array(z.object({ peer_id: PeerId, rtt_ms: z.number().min(0).max(RTT_MAX_MS) }))
    .min(1)
    .max(RTTS_PER_MESSAGE_MAX),
});
export type Rtts = z.infer<typeof Rtts>;

/** go-p2p 1.0's fifteen message types; the payload of replies is the requester's to read. */
export const GO_P2P_PAYLOADS = {
  handshake: Handshake,
  handshake_ack: HandshakeAck,
  ping: Ping,
  pong: Pong,
  disconnect: Disconnect,
  get_stats: JsonValue,
  stats: JsonValue,
  start_miner: JsonValue,
  stop_miner: JsonValue,
  miner_ack: JsonValue,
  deploy: JsonValue,
  deploy_ack: JsonValue,
  get_logs: JsonValue,
  logs: JsonValue,
  error: ErrorMessage,
} as const;

/** Muster's own message types, the same over every protocol. */
export const MUSTER_PAYLOADS = {
  welcome: Welcome,
  rejection: Rejection,
  rotate: Rotate,
  task_offer: TaskOffer,
  task_accept: TaskAccept,
  task_refuse: TaskRefuse,
  task_progress: TaskProgress,
  task_result: TaskResult,
  task_cancel: TaskCancel,
  task_assign: TaskAssign,
  task_query: TaskQuery,
  task_recall: TaskQuery,
  task_shown: TaskShown,
  announce: Announce,
  advert: Advert,
  sample: Sample,
  rtts: Rtts,
} as const;

export const PAYLOADS = { ...GO_P2P_PAYLOADS, ...MUSTER_PAYLOADS } as const;
export type MessageType = keyof typeof PAYLOADS;
export type PayloadOf<T extends MessageType> = z.output<(typeof PAYLOADS)[T]>;
/** What a sender writes: fields with defaults may be left out. */
export type PayloadInput<T extends MessageType> = z.input<(typeof PAYLOADS)[T]>;

export const isMessageType = (type: string): type is MessageType => Object.hasOwn(PAYLOADS, type);
