/** Every message type of both protocols: go-p2p's own, the messages about tasks, and those about peers, defined here. */
import { z } from "zod";
import {
  ADDRESS_CHARS_MAX,
  ADVERT_PEERS_MAX,
  HELD_TASKS_MAX,
  RTT_MAX_MS,
  RTTS_PER_MESSAGE_MAX,
  SAMPLE_POINTERS_MAX,
  SLOTS_MAX,
} from "./constants.ts";
import { DRAIN_TIMEOUT_MAX } from "./drain-limits.ts";
import { DiscoveryKeys } from "./discovery.ts";
import { GO_P2P_PAYLOADS, Reconnect } from "./go-p2p-messages.ts";
import { Name, OpaqueId, PeerId, PublicKeyHex } from "./ids.ts";
import { Capabilities, HandledKinds, Role } from "./labels.ts";
import { MAX_FRAME_LEAST, MAX_FRAME_MOST } from "./max-frame.ts";
import { RetryAfter } from "./retry-after.ts";
import { Route } from "./route.ts";
import { HeldTask, TASK_PAYLOADS } from "./task-messages.ts";

export * from "./go-p2p-messages.ts";
export * from "./task-messages.ts";
export {
  Capability,
  CapabilityRequirement,
  EVERY_KIND,
  handlesKind,
  Role,
  ROLES,
  TaskKind,
} from "./labels.ts";

const Welcome = z.object({
  peer_id: PeerId,
  epoch: z.int().positive(),
  role: Role,
  mesh: z.object({
    id: PeerId,
    name: Name,
    public_key: PublicKeyHex,
    /** While the mesh rotates its key: the next key. */
    next_public_key: PublicKeyHex.optional(),
  }),
  reconnect: Reconnect.optional(),
  /** The peer's own limit for frames, if it has set one and the mesh keeps to it. */
  max_frame: z.int().positive().optional(),
  /** For members over muster.2: the keys to find other peers and to open their records. */
  discovery: DiscoveryKeys.optional(),
});

/** Why a peer that proved its key is not admitted. The socket closes after it. */
const Rejection = z.object({
  code: z.string().max(64),
  reason: z.string().max(500),
  /** Seconds after which another try can succeed. */
  retry_after: RetryAfter.optional(),
});

/**
 * A peer's new key, sent in a session that the old key authenticated. `proof` shows that the sender holds the new
 * private key: HMAC-SHA256(SHA-256("muster/2 rotate" + X25519(new, mesh)), old ID + new public key).
 */
const Rotate = z.object({
  public_key: PublicKeyHex,
  proof: z.string().regex(/^[0-9a-f]{64}$/),
});

/** How a muster.2 peer describes itself: the encrypted payload of the third handshake message. */
export const Hello = z.object({
  name: Name,
  role: Role,
  capabilities: Capabilities.default([]),
  /** Absent when an older SDK does not announce them: then every kind. */
  kinds: HandledKinds.optional(),
  slots: z.int().min(0).max(SLOTS_MAX).default(1),
  /** Whether the peer accepts one task more than it has slots, and starts it when a slot becomes free. */
  prefetch: z.boolean().optional(),
  /** The attempts that the peer is still working on; absent when the peer does not report them. */
  held: z.array(HeldTask).max(HELD_TASKS_MAX).optional(),
  join_key: z.string().max(200).optional(),
  /** The largest frame that the mesh may send in this session, in bytes; 1 MiB when absent. */
  max_frame: z.int().min(MAX_FRAME_LEAST).max(MAX_FRAME_MOST).optional(),
  client: z.string().max(100).optional(),
});
export type Hello = z.infer<typeof Hello>;

/** A peer's changes to its description during a session. An absent field is unchanged. */
export const Announce = z.object({
  capabilities: Capabilities.optional(),
  kinds: HandledKinds.optional(),
  slots: z.int().min(0).max(SLOTS_MAX).optional(),
  prefetch: z.boolean().optional(),
  route: Route.optional(),
});
export type Announce = z.infer<typeof Announce>;

/**
 * The peer drains: it finishes what it runs, takes nothing new, and then disconnects. From the peer it is an announcement, from
 * the mesh the operator's order.
 */
const Drain = z.object({
  reason: z.string().max(500),
  /** How long the running tasks may take, in seconds. */
  timeout_seconds: z
    .number()
    .min(0)
    .max(DRAIN_TIMEOUT_MAX / 1_000),
});

/** Other peers that a peer knows of. Nothing in it is proved, so it never makes a peer eligible for anything. */
export const Advert = z.object({
  peers: z
    .array(
      z.object({
        public_key: PublicKeyHex,
        /** Where the advertised peer listens. The mesh dials it only if the operator registers it. */
        address: z
          .string()
          .max(ADDRESS_CHARS_MAX)
          .regex(/^[\x21-\x7e]*$/, "an address is visible ASCII")
          .default(""),
        role: Role,
        /** The round trip that the advertiser measured, in milliseconds. */
        rtt_ms: z.number().min(0).max(600_000).optional(),
      }),
    )
    .max(ADVERT_PEERS_MAX),
});

/** The mesh's answer to an advert: pointers to a few other peers. */
const Sample = z.object({ pointers: z.array(OpaqueId).max(SAMPLE_POINTERS_MAX) });

/** Round trips that a peer measured to other peers of the mesh. They are used for latency estimates only. */
export const Rtts = z.object({
  rtts: z
    .array(z.object({ peer_id: PeerId, rtt_ms: z.number().min(0).max(RTT_MAX_MS) }))
    .min(1)
    .max(RTTS_PER_MESSAGE_MAX),
});
export type Rtts = z.infer<typeof Rtts>;

/** Muster's own message types, the same over both protocols. */
export const MUSTER_PAYLOADS = {
  welcome: Welcome,
  rejection: Rejection,
  rotate: Rotate,
  ...TASK_PAYLOADS,
  announce: Announce,
  drain: Drain,
  advert: Advert,
  sample: Sample,
  rtts: Rtts,
} as const;

export const PAYLOADS = { ...GO_P2P_PAYLOADS, ...MUSTER_PAYLOADS } as const;
export type MessageType = keyof typeof PAYLOADS;
/** The payload of a received message. */
export type PayloadOf<T extends MessageType> = z.output<(typeof PAYLOADS)[T]>;
/** The payload that a sender writes: fields with defaults may be absent. */
export type PayloadInput<T extends MessageType> = z.input<(typeof PAYLOADS)[T]>;

export const isMessageType = (type: string): type is MessageType => Object.hasOwn(PAYLOADS, type);
