import { z } from "@hono/zod-openapi";
import { toHex } from "../../src/base/bytes.ts";
import { toRfc3339 } from "../../src/base/clock.ts";
import { kvStore } from "../../durable/kv-store.ts";
import { exportStream } from "../export-stream.ts";
import { problem } from "../problem.ts";
import { routesTagged, type Router } from "../route.ts";

const FILE_TYPE = "application/octet-stream";

const { define } = routesTagged("mesh", {});

const exportMesh = define("administer", "get", "/v1/export", {
  operationId: "exportMesh",
  summary:
    "Stream a backup of the mesh as it is now, without its secrets (docs/backup.md). A file without its last line is not whole",
  responses: {
    200: {
      description: "The backup",
      content: { [FILE_TYPE]: { schema: z.string().meta({ format: "binary" }) } },
    },
  },
  failures: ["conflict", "storage_full"],
});

export function exportRoutes(router: Router): void {
  router.route(exportMesh, async (c) => {
    const { coordinator, config } = c.var;
    // HEAD begins no export: the next GET would have to wait for its end.
    if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": FILE_TYPE });
    const begun = await coordinator.call("begin_export", {});
    if (!begun.ok) return problem(c, begun.error);
    const now = Date.now();
    const source = {
      coordinator,
      store: kvStore(c.env.BLOBS, () => now),
      meshKey: toHex(config.identities.current.publicKey),
      createdAt: toRfc3339(now),
    };
    return c.body(exportStream(source, begun.value), 200, { "Content-Type": FILE_TYPE });
  });
}
