import { z } from "@hono/zod-openapi";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Output } from "../../src/contract/commands.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { fromHex, toHex, type Bytes } from "../../src/base/bytes.ts";
import { makeMeshProof } from "../../src/crypto/key-proofs.ts";
import { platformX25519 } from "../../src/crypto/x25519.ts";
import { SECOND, toRfc3339, type Millis } from "../../src/base/clock.ts";
import {
  DrainedMesh,
  DrainMeshBody,
  MeshProofQuery,
  MeshProofView,
  MeshView,
  PROTOCOLS,
  ReadyView,
  StorageView,
} from "../../src/protocol/http.ts";
import { limited } from "../address-budgets.ts";
import type { AppContext } from "../context.ts";
import { diskShortage } from "../../src/base/disk-shortage.ts";
import { forward } from "../forward.ts";
import { identityOf, KEY_UNKNOWN } from "../connect-request.ts";
import { problem, respond } from "../problem.ts";
import { bodyOf, jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("mesh", {});

const mesh = define("public", "get", "/v1/mesh", {
  operationId: "getMesh",
  summary: "Show the mesh's ID, public keys and protocols",
  responses: { 200: jsonOf(MeshView, "The mesh") },
});
const prove = define("public", "get", "/v1/mesh/proof", {
  operationId: "proveMesh",
  summary:
    "Prove the mesh's identity key to a caller that has pinned it, with the mesh's signing key and time",
  request: { query: MeshProofQuery },
  responses: { 200: jsonOf(MeshProofView, "The proof, which only this caller can verify") },
  failures: ["invalid", "unusable_key", "unavailable", "unknown_mesh_key", "too_many_proofs"],
});
const health = define("public", "get", "/healthz", {
  operationId: "getHealth",
  summary: "Show whether the mesh is configured and running",
  responses: { 200: jsonOf(z.object({ status: z.literal("ok") }), "The mesh is running") },
});

const readiness = define("public", "get", "/readyz", {
  operationId: "getReadiness",
  summary:
    "Show whether the mesh can do its work: a coordinator answers, and a self-hosted mesh has room on its disk. In a mesh of several cells one of them has to answer",
  responses: { 200: jsonOf(ReadyView, "The mesh can do its work") },
  failures: ["unavailable"],
});

const storage = define("read", "get", "/v1/mesh/storage", {
  operationId: "getStorage",
  summary: "Show how large the mesh's database is, how large it may be, and whose tasks are in it",
  responses: { 200: jsonOf(StorageView, "The use of storage") },
});

const drain = define("administer", "post", "/v1/mesh/drain", {
  operationId: "drainMesh",
  summary:
    "End all sessions before a restart (close code 4503); the peers go on with what they run and come back in their order",
  request: { body: bodyOf(DrainMeshBody, { pause_seconds: 5 }) },
  responses: { 200: jsonOf(DrainedMesh, "The sessions have ended") },
  failures: ["unconfirmed"],
});

export function meshRoutes(router: Router): void {
  router.route(mesh, (c) => {
    const { name, publicUrl, identities, discovery, coordinator, goP2p } = c.var.config;
    return c.json(
      {
        name,
        ...(publicUrl !== null && { public_url: publicUrl }),
        id: identities.current.id,
        public_key: toHex(identities.current.publicKey),
        discovery_key: toHex(discovery.publicKey),
        signing_key: toHex(coordinator.discovery.verifyingKey),
        protocols: goP2p ? [...PROTOCOLS] : ["muster/2" as const],
        time: toRfc3339(Date.now()),
      },
      200,
    );
  });
  router.route(prove, async (c) => {
    const refused = limited(c, "proofs", "proofs of the mesh's key");
    if (refused !== null) return problem(c, refused) as never;
    return respond(c, await meshProof(c, c.req.valid("query")), (proved) => c.json(proved, 200));
  });
  router.route(drain, async (c) => {
    const drained = await drainAll(c, c.req.valid("json").pause_seconds * SECOND);
    return respond(c, drained, (view) => c.json(view, 200));
  });
  router.route(storage, (c) => forward(c, "get_storage", {}));
  router.route(readiness, async (c) => {
    const answer = await c.var.memory.readiness.ask(Date.now(), () => ready(c));
    return respond(c, answer, (found) => c.json({ status: "ready" as const, ...found }, 200));
  });
  router.route(health, (c) => c.json({ status: "ok" as const }, 200));
}

/** Whether a coordinator answers, and can store what it is told. */
async function ready(c: AppContext): Promise<Result<Output<"check_ready">, MusterError>> {
  const answer = await c.var.coordinator.call("check_ready", {});
  const shortage = await diskShortage(c.env.DISK);
  if (shortage !== null) {
    const reads = answer.ok ? "reads go on" : "reads that need its coordinator fail, too";
    const detail = `the disk of the mesh is full: ${shortage}; ${reads}: free space on it`;
    return err({ code: "unavailable", detail, retryAfter: DISK_RETRY });
  }
  // A disk that got room meanwhile, or another limit: the state is the same for who asks.
  return answer.ok || answer.error.code !== "storage_full"
    ? answer
    : err({ ...answer.error, code: "unavailable" });
}
const DISK_RETRY = 10;

/** The mesh's signing key and time, proved with the identity key that the caller has pinned. */
async function meshProof(
  c: AppContext,
  { challenge, mesh: id }: z.infer<typeof MeshProofQuery>,
): Promise<Result<z.infer<typeof MeshProofView>, MusterError>> {
  const { identities, coordinator } = c.var.config;
  const identity = identityOf(identities, id);
  if (identity === null) return err(KEY_UNKNOWN);
  const stated = {
    signing_key: toHex(coordinator.discovery.verifyingKey),
    time: toRfc3339(Date.now()),
  };
  const keys = { privateKey: identity.privateKey, publicKey: fromHex(challenge) as Bytes };
  const proof = await makeMeshProof(await platformX25519(), keys, challenge, stated);
  if (proof !== null) return ok({ ...stated, proof });
  const detail = "challenge is a key of low order; make a new X25519 key pair for each request";
  return err({ code: "bad_key", detail });
}

/** Ends the sessions that are open now, part by part: peers that come back meanwhile keep their new sessions. */
async function drainAll(
  c: AppContext,
  pauseMs: Millis,
): Promise<Result<z.infer<typeof DrainedMesh>, MusterError>> {
  const before = Date.now();
  let sessions = 0;
  let unconfirmed: MusterError | null = null;
  for (;;) {
    const part = await c.var.coordinator.call("drain_mesh", { before, pauseMs });
    // What the coordinator has ended stays ended, whether the session has confirmed it or not.
    if (!part.ok && part.error.code !== "revoke_unconfirmed") return part;
    if (!part.ok) {
      unconfirmed = part.error;
      continue;
    }
    sessions += part.value.ended;
    if (part.value.remaining > 0) continue;
    const { missing_cells: missing } = part.value;
    return unconfirmed === null
      ? ok({ sessions, ...(missing !== undefined && { missing_cells: missing }) })
      : err(unconfirmed);
  }
}
