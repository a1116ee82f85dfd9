import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { toHex } from "../../src/base/bytes.ts";
import { toRfc3339 } from "../../src/base/clock.ts";
import { MeshView, PROTOCOLS } from "../../src/protocol/http.ts";
import type { AppEnv } from "../context.ts";
import { failuresOfMesh, jsonOf } from "../responses.ts";

const mesh = createRoute({
  method: "get",
  path: "/v1/mesh",
  summary: "Who this mesh is: what a peer pins and a controller checks",
  tags: ["mesh"],
  responses: { 200: jsonOf(MeshView, "The mesh"), ...failuresOfMesh },
});
const health = createRoute({
  method: "get",
  path: "/healthz",
  summary: "Whether the mesh is configured and up",
  tags: ["mesh"],
  responses: {
    200: jsonOf(z.object({ status: z.literal("ok") }), "It is"),
    ...failuresOfMesh,
  },
});

export function meshRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(mesh, (c) => {
    const { name, identities, discovery, coordinator, goP2p } = c.get("config");
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
  app.openapi(health, (c) => c.json({ status: "ok" as const }, 200));
}
