import { z } from "zod";
import { JsonValue } from "./envelope.ts";
import { OpaqueId } from "./ids.ts";

export { STALE_HEADER } from "./discovery-headers.ts";

/** 32 bytes in hex: the keys and secrets that discovery gives to members. */
const Hex32 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex characters");
/** An Ed25519 signature in hex. */
const Signature = z.string().regex(/^[0-9a-f]{128}$/, "128 lower-case hex characters");
const Time = z.iso.datetime();
const Count = z.int().nonnegative();

/**
 * A member's secrets for one epoch: the key that opens its blobs, the secret from which its pointer IDs are derived, and
 * the time when everything published in it expires.
 */
export const EpochKeys = z.object({
  epoch: z.int().positive(),
  private_key: Hex32.meta({ description: "X25519: opens the blobs of this epoch" }),
  pointer_secret: Hex32.meta({
    description: "HMAC-SHA256 of a peer's ID under it, cut to 16 bytes, is its pointer's ID",
  }),
  expires_at: Time,
});
export type EpochKeys = z.infer<typeof EpochKeys>;

/** The keys with which a member of the mesh finds peers and opens their records. The newest epoch is last. */
export const DiscoveryKeys = z
  .object({
    signing_key: Hex32.meta({ description: "The mesh's Ed25519 key, which signs pointers" }),
    epochs: z.array(EpochKeys).max(16),
  })
  .meta({ id: "DiscoveryKeys" });
export type DiscoveryKeys = z.infer<typeof DiscoveryKeys>;

/**
 * A published pointer. `seq` is a sequence number of the mesh that only grows: of two statements about one ID, the one
 * with the higher number is valid. The signature covers all other fields.
 */
export const PointerView = z
  .object({
    id: OpaqueId,
    epoch: z.int().positive(),
    seq: Count,
    blob_id: OpaqueId,
    metadata: z.record(z.string(), JsonValue).meta({
      description: "What the operator makes public about the peer; empty unless configured",
    }),
    expires_at: Time,
    signature: Signature,
  })
  .meta({ id: "Pointer" });
export type PointerView = z.infer<typeof PointerView>;

/** A pointer that is no longer published; or, without a signature, one that no longer matches the query. */
export const RemovedPointer = z
  .object({
    id: OpaqueId,
    epoch: z.int().positive(),
    seq: Count,
    signature: Signature.nullable().meta({
      description: "Null: the pointer is still published, but no longer matches the query",
    }),
  })
  .meta({ id: "RemovedPointer" });
export type RemovedPointer = z.infer<typeof RemovedPointer>;

/**
 * The sequence number up to which an answer is complete, signed by the mesh. A reader that has seen a higher one knows
 * that the answer is outdated. Everything published in epochs that are not listed is withdrawn.
 */
export const Checkpoint = z
  .object({
    seq: Count,
    epochs: z.array(z.int().positive()).max(16),
    issued_at: Time,
    signature: Signature,
  })
  .meta({ id: "Checkpoint" });
export type Checkpoint = z.infer<typeof Checkpoint>;

/**
 * How many pointers the mesh lists under each epoch at this sequence number and time, signed. A reader that got fewer knows that
 * a copy withholds some; a mesh without peers says so by totals of zero.
 */
export const ListedTotals = z
  .object({
    seq: Count,
    issued_at: Time,
    epochs: z
      .array(z.object({ epoch: z.int().positive(), listed: Count, expires_at: Time }))
      .max(16),
    signature: Signature,
  })
  .meta({ id: "ListedTotals" });
export type ListedTotals = z.infer<typeof ListedTotals>;

/** Coarse locations: the names of Durable Objects' location hints. */
export const REGIONS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export const Region = z.enum(REGIONS).meta({
  description:
    "Western and eastern North America, South America, western and eastern Europe, Asia-Pacific, Oceania, Africa, Middle East",
});
export type Region = z.infer<typeof Region>;

/** The attributes of peers that an operator may make public. */
export const PUBLIC_FIELDS = ["role", "capabilities", "kinds", "region", "score"] as const;
export type PublicField = (typeof PUBLIC_FIELDS)[number];
