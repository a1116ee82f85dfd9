import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./context.ts";
import { jsonOf } from "./responses.ts";

const self = createRoute({
  method: "get",
  path: "/openapi.json",
  summary: "This description",
  tags: ["mesh"],
  responses: { 200: jsonOf(z.object({ openapi: z.string() }), "An OpenAPI document") },
});

const ABOUT = {
  openapi: "3.1.0",
  info: {
    title: "Muster",
    version: "1",
    description:
      "The control plane of a mesh of compute peers. Errors are problem documents (RFC 9457) with a stable code.",
  },
};

/** Serves the description of the API (OpenAPI 3.1), made from the schemas that also check every request. */
export function describe(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
  });
  app.openAPIRegistry.registerPath(self);
  let document: object | null = null;
  // Made at the first request, when every route is registered, and then kept: anybody may ask, and making it is work.
  app.get("/openapi.json", (c) => c.json((document ??= app.getOpenAPI31Document(ABOUT)), 200));
}
