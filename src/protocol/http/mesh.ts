import { z } from "zod";
import { SECOND } from "../../base/clock.ts";
import { OWNER_BYTES_SHOWN } from "../constants.ts";
import { RESTART_PAUSE_MAX } from "../drain-limits.ts";
import { PeerId, PublicKeyHex } from "../ids.ts";
import { RetryAfter } from "../retry-after.ts";
import { MissingCells, Time } from "./page.ts";
import { Protocol } from "./peers.ts";

export const MeshView = z
  .object({
    name: z.string(),
    public_url: z.string().optional().meta({
      description:
        "Where others reach the mesh, without a slash at the end, if the operator says so (PUBLIC_URL)",
      example: "https://mesh.example",
    }),
    id: PeerId,
    public_key: PublicKeyHex.meta({ description: "The mesh's identity key; clients pin it" }),
    discovery_key: PublicKeyHex.meta({
      description:
        "The public key of the mesh's discovery key, which protects the discovery keys of all epochs",
    }),
    signing_key: PublicKeyHex.meta({ description: "Ed25519" }),
    protocols: z.array(Protocol),
    time: Time,
  })
  .meta({ id: "Mesh" });
export type MeshView = z.infer<typeof MeshView>;

export const MeshProofQuery = z.strictObject({
  challenge: PublicKeyHex.meta({
    description: "An X25519 public key that the caller has made for this request",
  }),
  mesh: PeerId.meta({ description: "The ID of the identity key that the mesh must prove" }),
});
export const MeshProofView = z
  .object({
    signing_key: PublicKeyHex.meta({ description: "Ed25519" }),
    time: Time,
    proof: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({
        description:
          'HMAC-SHA256(SHA-256("muster/2 mesh" + X25519(identity key, challenge)), challenge + signing_key + time), in hex',
      }),
  })
  .meta({ id: "MeshProof" });

export const DrainMeshBody = z
  .strictObject({
    pause_seconds: z
      .number()
      .min(0)
      .max(RESTART_PAUSE_MAX / SECOND)
      .default(0)
      .meta({
        description: "How long the peers wait before they reconnect, at random times",
      }),
  })
  .meta({ id: "DrainMeshRequest" });
export const DrainedMesh = z
  .object({
    sessions: z.int().meta({ description: "Sessions that were ended" }),
    missing_cells: MissingCells,
  })
  .meta({ id: "DrainedMesh" });

const STORAGE_STATES = ["ok", "making_room", "full"] as const;

export const StorageView = z
  .object({
    used_bytes: z
      .int()
      .meta({ description: "Size of the coordinator's database, without free pages" }),
    limit_bytes: z.int().meta({ description: "`STORAGE_LIMIT_MB`" }),
    removes_above_bytes: z
      .int()
      .meta({ description: "Above this, the oldest ended tasks are removed" }),
    accepts_up_to_bytes: z.int().meta({ description: "Above this, no task is accepted" }),
    state: z.enum(STORAGE_STATES).meta({
      description:
        "`making_room`: ended tasks are being removed; `full`: no task is accepted until there is room",
    }),
    payload_retention_hours: z.number().meta({
      description: "How long the payload of an ended task is kept",
    }),
    owners: z
      .array(
        z.object({
          owner: z.string().meta({
            description: "A token's ID, `admin`, a peer's ID, or `webhook:` and the source's name",
          }),
          bytes: z.int(),
          max_bytes: z.int().nullable(),
        }),
      )
      .meta({
        description: `The owners whose tasks that have not ended have the most bytes, at most ${OWNER_BYTES_SHOWN}`,
      }),
    missing_cells: MissingCells,
  })
  .meta({ id: "Storage" });
export type StorageView = z.infer<typeof StorageView>;

export const ProblemView = z
  .object({
    type: z.string().meta({
      description: "A path of this mesh that explains the code: GET it, without a token",
      example: "/troubleshooting/not_allowed",
    }),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: "Stable: distinguish errors by this field" }),
    detail: z.string(),
    retry_after: RetryAfter.optional(),
    time: Time.optional().meta({ description: "The mesh's time, if the caller's clock is wrong" }),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457" });

/** SHA-256 of the rows of a mesh, which the coordinator and a backup state. */
const StateHash = z.string().regex(/^[0-9a-f]{64}$/);

/** What a backup says of itself (its first line and its last but one), without its secrets. */
export const BeginImportBody = z
  .strictObject({
    muster_backup: z.int().positive().meta({ description: "The version of the file's format" }),
    muster: z.string().max(100).meta({ description: "The version of Muster that made it" }),
    schema: z.int().positive().meta({ description: "The schema version of its rows" }),
    created_at: z.iso.datetime(),
    mesh_key: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ description: "The public key of the mesh that was backed up" }),
    tables: z.int().nonnegative(),
    rows: z.int().nonnegative(),
    results: z.int().nonnegative(),
    state_hash: StateHash,
  })
  .meta({ id: "BeginImportRequest" });
/** What a backup says of itself, apart from the version of its format. */
export type BackupInfo = Omit<z.infer<typeof BeginImportBody>, "muster_backup">;

export const ImportView = z
  .object({
    id: z.string(),
    state: z.enum(["open", "committed"]),
    parts: z.int().meta({ description: "How many parts have arrived" }),
    state_hash: StateHash.meta({ description: "The state hash that the backup states" }),
  })
  .meta({ id: "Import" });
export type ImportView = z.infer<typeof ImportView>;

export const CommitImportBody = z
  .strictObject({
    parts: z.int().nonnegative().meta({ description: "How many parts the backup has" }),
  })
  .meta({ id: "CommitImportRequest" });
