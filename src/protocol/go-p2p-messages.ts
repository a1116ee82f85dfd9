/** go-p2p 1.0: its message types in both generations. */
import { z } from "zod";
import { fromBase64 } from "../base/bytes.ts";
import { CHALLENGE_BYTES, RECONNECT_POSITION_MAX, SLOTS_MAX } from "./constants.ts";
import { ExactValue, JsonValue } from "./envelope.ts";
import { PeerId, PublicKeyBase64 } from "./ids.ts";
import { Capabilities, HandledKinds, Role } from "./labels.ts";
import { RetryAfter } from "./retry-after.ts";

export * from "./go-p2p-requests.ts";

/** What a peer that speaks Muster's own messages adds to its go-p2p identity. Go ignores it. */
export const MusterField = z.object({
  v: z.literal(1),
  capabilities: Capabilities.default([]),
  kinds: HandledKinds.optional(),
  slots: z.int().min(0).max(SLOTS_MAX).default(1),
  prefetch: z.boolean().optional(),
});
export type MusterField = z.infer<typeof MusterField>;

export const Identity = z.object({
  id: PeerId,
  /** Any text: go-p2p refuses no handshake for its name. */
  name: z.string(),
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

/** `version` accepts any string, so that the answer to a wrong version can name the right one. */
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

/** `sentAt` is in Unix milliseconds. The mesh measures a round trip by its own stored time, never by the echoed one. */
const PingFields = z.object({
  /** go-p2p takes an absent time as 0. */
  sentAt: z.number().default(0),
  /**
   * Asks for the pong only once the coordinator has answered everything that the peer sent before. A result that was not
   * refused by then is committed.
   */
  confirm: z.boolean().optional(),
});
/** go-p2p takes a ping without a payload as one with the time 0. */
const Ping = PingFields.or(z.null().transform((): z.output<typeof PingFields> => ({ sentAt: 0 })));
const Pong = z.object({ sentAt: z.number(), receivedAt: z.number() });

/** Text of any length, of which the first part is kept: a node may quote in it what it was sent. */
const shortened = (chars: number) =>
  z.string().transform((text) => text.slice(0, chars).toWellFormed());

/**
 * When a peer whose session breaks may reconnect, so that many peers return at a fixed rate: `slot` / `per_second`
 * seconds after the break, plus jitter. Go ignores it.
 */
export const Reconnect = z.object({
  slot: z.int().min(0).max(RECONNECT_POSITION_MAX),
  per_second: z.number().positive(),
});
export type Reconnect = z.infer<typeof Reconnect>;

const Disconnect = z.object({
  reason: shortened(500).default(""),
  code: z.number().default(0),
  reconnect: Reconnect.optional(),
});

/** `details` holds Muster's own stable code; `retry_after` is the number of seconds after which a retry can succeed. */
export const ErrorMessage = z.object({
  code: z.number(),
  message: shortened(2_000),
  details: z.string().optional(),
  retry_after: RetryAfter.optional(),
});

/** Replies may have any payload: the requester interprets it. */
export const GO_P2P_PAYLOADS = {
  handshake: Handshake,
  handshake_ack: HandshakeAck,
  ping: Ping,
  pong: Pong,
  disconnect: Disconnect,
  get_stats: ExactValue,
  stats: ExactValue,
  start_miner: ExactValue,
  stop_miner: ExactValue,
  miner_ack: ExactValue,
  deploy: ExactValue,
  deploy_ack: ExactValue,
  get_logs: ExactValue,
  logs: ExactValue,
  error: ErrorMessage,
  content_event: JsonValue,
} as const;
