import { z } from "@hono/zod-openapi";
import { toHex } from "../../src/base/bytes.ts";
import { toRfc3339 } from "../../src/base/clock.ts";
import { MeshView, PROTOCOLS } from "../../src/protocol/http.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("mesh", {});

const mesh = define("public", "get", "/v1/mesh", {
  summary: "Show the mesh's ID, public keys and protocols",
  responses: { 200: jsonOf(MeshView, "The mesh") },
});
const health = define("public", "get", "/healthz", {
  summary: "Show whether the mesh is configured and running",
  responses: { 200: jsonOf(z.object({ status: z.literal("ok") }), "The mesh is running") },
});

export function meshRoutes(router: Router): void {
  router.route(mesh, (c) => {
    const { name, identities, discovery, coordinator, goP2p } = c.var.config;
    return c.json(
      {
        name,
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
  router.route(health, (c) => c.json({ status: "ok" as const }, 200));
}
