import { z, type OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./context.ts";
import { finishDocument } from "./openapi-document.ts";
import { jsonOf, problemExamples } from "./responses.ts";
import { routesTagged, type Router } from "./route.ts";
import { SECURITY_SCHEMES } from "./route-scope.ts";

const { defineRaw } = routesTagged("mesh", {});

const description = defineRaw("public", "get", "/openapi.json", {
  operationId: "getOpenApi",
  summary: "Show this description",
  responses: { 200: jsonOf(z.object({ openapi: z.string() }), "An OpenAPI document") },
});

/** The groups of the API, in the order in which documentation shows them. */
const TAGS = {
  tasks:
    "Submit tasks, wait for them, read their results, cancel and retry them; settings of kinds of tasks",
  peers:
    "See, cordon, drain and revoke peers; dial peers that listen; the WebSocket that peers open",
  admission: "Who may join: the auth mode, the allowlist and join keys",
  access: "API tokens, and the audit log",
  webhooks: "Sources of webhooks, their deliveries, and the addresses to which they are sent",
  discovery: "Pointers and sealed records by which peers find each other",
  mesh: "The mesh itself: its keys, its storage, its errors, this description",
};

const ABOUT = {
  openapi: "3.1.0",
  info: {
    title: "Muster",
    version: "1",
    description:
      "The control plane of a mesh of compute peers. Errors are problem documents (RFC 9457) with a stable code.",
    license: { name: "EUPL-1.2", identifier: "EUPL-1.2" },
  },
  // Relative: the mesh that served the description.
  servers: [{ url: "/", description: "This mesh" }],
  tags: Object.entries(TAGS).map(([name, about]) => ({ name, description: about })),
};

/** Serves the description of the API (OpenAPI 3.1), which is made from the schemas that also check every request. */
export function describeApi(app: OpenAPIHono<AppEnv>, router: Router): void {
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES))
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  for (const [code, value] of problemExamples())
    app.openAPIRegistry.registerComponent("examples", code, { value });
  let document: object | null = null;
  // Generated at the first request, when every route is registered, and then cached: generating it is expensive.
  router.rawRoute(description, (c) =>
    c.json((document ??= finishDocument(app.getOpenAPI31Document(ABOUT))), 200),
  );
}
