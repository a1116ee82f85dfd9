import { z } from "zod";
import { JsonValue } from "./envelope.ts";
import { OpaqueId } from "./ids.ts";

/** 32 bytes in hex: keys and secrets as discovery hands them out. */
const Hex32 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex characters");
/** An Ed25519 signature in hex. */
const Signature = z.string().regex(/^[0-9a-f]{128}$/, "128 lower-case hex characters");
const Time = z.iso.datetime();
const Count = z.int().nonnegative();

/**
 * What a member needs of one epoch: the key that opens its blobs, the secret that makes its pointers' IDs, and when
 * everything published under it runs out.
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

/** What a member of the mesh finds and opens peers with; the newest epoch comes last. */
export const DiscoveryKeys = z
  .object({
    signing_key: Hex32.meta({ description: "The mesh's Ed25519 key, which signs pointers" }),
    epochs: z.array(EpochKeys).max(16),
  })
  .meta({ id: "DiscoveryKeys" });
export type DiscoveryKeys = z.infer<typeof DiscoveryKeys>;

/**
 * A published pointer. `seq` is the mesh's own and only grows: of two statements about one ID the higher one holds. The
 * signature covers all other fields.
 */
export const PointerView = z
  .object({
    id: OpaqueId,
    epoch: z.int().positive(),
    seq: Count,
    blob_id: OpaqueId,
    metadata: z.record(z.string(), JsonValue).meta({
      description: "What the operator lets be public of the peer; empty unless configured",
    }),
    expires_at: Time,
    signature: Signature,
  })
  .meta({ id: "Pointer" });
export type PointerView = z.infer<typeof PointerView>;

/** A pointer that is no longer published. Without a signature it is still there, but not what was asked for. */
export const RemovedPointer = z
  .object({
    id: OpaqueId,
    epoch: z.int().positive(),
    seq: Count,
    signature: Signature.nullable().meta({
      description: "Null: it still stands, but no longer matches the query",
    }),
  })
  .meta({ id: "RemovedPointer" });
export type RemovedPointer = z.infer<typeof RemovedPointer>;

/**
 * How far an answer goes, signed by the mesh: a copy that says less than was seen before is an old one. What was
 * published under other epochs than these is gone.
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

/** Coarse places: the names that Durable Objects' location hints have. */
export const REGIONS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export const Region = z.enum(REGIONS).meta({
  description:
    "Western and eastern North America, South America, western and eastern Europe, Asia-Pacific, Oceania, Africa, Middle East",
});
export type Region = z.infer<typeof Region>;

/** What an operator may let be public of peers. */
export const PUBLIC_FIELDS = ["role", "capabilities", "region", "score"] as const;
export type PublicField = (typeof PUBLIC_FIELDS)[number];
