import { Hono, type Context } from "hono";
import { env } from "hono/adapter";
import { fromHex } from "../src/base/bytes.ts";
import { redactedError } from "../src/base/redact.ts";
import { platformVerify } from "../src/crypto/ed25519.ts";
import { Replica } from "../src/discovery/replica.ts";
import { verifierOf } from "../src/discovery/signed-statements.ts";
import { upstashStore } from "../durable/upstash-store.ts";
import { replicaLimits } from "./replica-limits.ts";
import { replicaRoutes } from "./replica-routes.ts";

/** A replica's configuration: its store, and the key that verifies the mesh's signatures. It contains no secret of the mesh. */
type ReplicaEnv = Parameters<typeof replicaLimits>[0] & {
  readonly UPSTASH_REDIS_REST_URL?: string;
  /** Use a read-only token. */
  readonly UPSTASH_REDIS_REST_TOKEN?: string;
  /** The mesh's Ed25519 public key in hex: `signing_key` of its `/v1/mesh`. */
  readonly MESH_VERIFYING_KEY?: string;
  /** "true": no token is needed; otherwise a request needs an epoch's reader token. */
  readonly DISCOVERY_PUBLIC?: string;
};

let replica: Promise<Replica> | null = null;

/** One per isolate. It is created at the first request, because some runtimes provide the environment only then. */
function replicaOf(c: Context): Promise<Replica> {
  replica ??= openReplica(env<ReplicaEnv>(c)).catch((error: unknown) => {
    replica = null;
    throw error;
  });
  return replica;
}

async function openReplica(configured: ReplicaEnv): Promise<Replica> {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = configured;
  const key = fromHex(configured.MESH_VERIFYING_KEY ?? "");
  if (url === undefined || token === undefined || key?.length !== 32)
    throw new Error(
      "set UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN and MESH_VERIFYING_KEY (64 hex characters)",
    );
  replicaLimits(configured);
  return new Replica({
    store: upstashStore({ url, token }),
    verifier: verifierOf(key, await platformVerify()),
    now: () => Date.now(),
    isPublic: configured.DISCOVERY_PUBLIC === "true",
    onFailure: (error) =>
      console.error("the store does not answer", { error: redactedError(error) }),
  });
}

/**
 * A read-only replica of a mesh's discovery, for Deno (`deno serve`), Node (`npm run replica`) and Workers. It serves
 * records that the mesh has signed, from a store that the mesh writes.
 */
const app = new Hono();
replicaRoutes(app, replicaOf);

export default app;
