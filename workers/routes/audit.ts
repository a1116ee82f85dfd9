import { AuditList, AuditQuery } from "../../src/protocol/http.ts";
import { forward } from "../forward.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("access", {});

const list = define("administer", "get", "/v1/audit", {
  operationId: "listAuditEntries",
  summary: "List the audit log, newest first: admissions, refusals and administrative changes",
  request: { query: AuditQuery },
  responses: { 200: jsonOf(AuditList, "One page of the audit log") },
});

export function auditRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_audit", c.req.valid("query")));
}
