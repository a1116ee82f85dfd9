import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { AuditList, AuditQuery } from "../../src/protocol/http.ts";
import type { AppEnv } from "../context.ts";
import { respond } from "../problem.ts";
import { failures, jsonOf, security } from "../responses.ts";

const list = createRoute({
  method: "get",
  path: "/v1/audit",
  summary: "Show who was let in or not, and who changed what, newest first",
  tags: ["access"],
  security,
  request: { query: AuditQuery },
  responses: { 200: jsonOf(AuditList, "One page of the audit log"), ...failures },
});

export function auditRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) =>
    respond(c, await c.get("coordinator").call("list_audit", c.req.valid("query")), (page) =>
      c.json(page, 200),
    ),
  );
}
