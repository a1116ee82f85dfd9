import { fromHex, type Bytes } from "../src/base/bytes.ts";
import { readPageOrigins } from "../src/access/page-origins.ts";
import { readWholeNumber } from "../src/base/number-text.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { KEPT_BYTES_DEFAULT } from "../src/discovery/replica.ts";
import type { UpstashAccess } from "../durable/upstash-store.ts";
import { replicaLimits } from "./replica-limits.ts";

/** A replica's configuration: its store, and the key that verifies the mesh's signatures. It contains no secret of the mesh. */
export type ReplicaVariables = Parameters<typeof replicaLimits>[0] & {
  readonly UPSTASH_REDIS_REST_URL?: string;
  /** Use a read-only token. */
  readonly UPSTASH_REDIS_REST_TOKEN?: string;
  /** The mesh's Ed25519 public key in hex: `signing_key` of its `/v1/mesh`. */
  readonly MESH_VERIFYING_KEY?: string;
  /** "true": no token is needed; otherwise a request needs an epoch's reader token. */
  readonly DISCOVERY_PUBLIC?: string;
  /** Origins of the web pages that may read answers. */
  readonly CORS_ORIGINS?: string;
  /** Bytes of sealed records that are kept in memory. */
  readonly REPLICA_KEPT_BYTES?: string;
};

export interface ReplicaSettings {
  readonly redis: UpstashAccess;
  readonly verifyingKey: Bytes;
  readonly isPublic: boolean;
  readonly keptBytesMax: number;
}

const KEPT_BYTES_MAX = 4 * 1_024 ** 3;
const KEY_BYTES = 32;

/** The settings, or what is wrong with each variable: its name, never its value, which may be a secret in the wrong place. */
export function readReplicaSettings(
  variables: ReplicaVariables,
): Result<ReplicaSettings, readonly string[]> {
  const url = variables.UPSTASH_REDIS_REST_URL ?? "";
  const token = variables.UPSTASH_REDIS_REST_TOKEN ?? "";
  const key = variables.MESH_VERIFYING_KEY ?? "";
  const verifyingKey = fromHex(key);
  const open = variables.DISCOVERY_PUBLIC ?? "";
  const kept = variables.REPLICA_KEPT_BYTES ?? "";
  const keptBytesMax = kept === "" ? KEPT_BYTES_DEFAULT : (readWholeNumber(kept) ?? Infinity);
  const faults = [
    urlFault(url),
    tokenFault(token),
    key === "" && "MESH_VERIFYING_KEY is not set: set it to signing_key of the mesh's /v1/mesh",
    key !== "" &&
      verifyingKey?.length !== KEY_BYTES &&
      "MESH_VERIFYING_KEY is not a key: set it to signing_key of the mesh's /v1/mesh, 64 hex characters",
    !["", "true", "false"].includes(open) && "DISCOVERY_PUBLIC is neither true nor false",
    !(Number.isSafeInteger(keptBytesMax) && keptBytesMax >= 0 && keptBytesMax <= KEPT_BYTES_MAX) &&
      `REPLICA_KEPT_BYTES is not a whole number from 0 to ${KEPT_BYTES_MAX}`,
    pagesFault(variables.CORS_ORIGINS ?? ""),
    limitsFault(variables),
  ].filter((fault) => fault !== null && fault !== false);
  if (faults.length > 0 || verifyingKey === null) return err(faults);
  return ok({ redis: { url, token }, verifyingKey, isPublic: open === "true", keptBytesMax });
}

function urlFault(url: string): string | null {
  if (url === "")
    return "UPSTASH_REDIS_REST_URL is not set: set it to the URL of the store's REST API";
  const read = URL.parse(url);
  // The client of the store refuses "#" and "$" in the host, and would show the URL in its error.
  const isValid =
    read !== null && /^https?:$/.test(read.protocol) && /^https?:\/\/[^\s#$./?].\S*$/.test(url);
  return isValid ? null : "UPSTASH_REDIS_REST_URL is not an http or https URL";
}

function tokenFault(token: string): string | null {
  if (token === "")
    return "UPSTASH_REDIS_REST_TOKEN is not set: set it to a token that may read the store";
  return /^[\u0021-\u007e]+$/.test(token)
    ? null
    : "UPSTASH_REDIS_REST_TOKEN has a character that no token has, such as a space";
}

function pagesFault(text: string): string | null {
  const pages = readPageOrigins(text);
  return pages.ok ? null : `CORS_ORIGINS ${pages.error}`;
}

function limitsFault(variables: ReplicaVariables): string | null {
  try {
    replicaLimits(variables);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
