import { z, type OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./context.ts";
import { jsonOf } from "./responses.ts";
import { routesTagged, type Router } from "./route.ts";

const { defineRaw } = routesTagged("mesh", {});

const description = defineRaw("public", "get", "/openapi.json", {
  summary: "Show this description",
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

/** Serves the description of the API (OpenAPI 3.1), which is made from the schemas that also check every request. */
export function describeApi(app: OpenAPIHono<AppEnv>, router: Router): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
  });
  let document: object | null = null;
  // Generated at the first request, when every route is registered, and then cached: generating it is expensive.
  router.rawRoute(description, (c) => c.json((document ??= app.getOpenAPI31Document(ABOUT)), 200));
}
