import { AlertList } from "../../src/protocol/http.ts";
import { forward } from "../forward.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("mesh", {});

const list = define("read", "get", "/v1/alerts", {
  operationId: "listAlerts",
  summary: "List the alerts that fire now",
  responses: { 200: jsonOf(AlertList, "The alerts, at most some tens") },
});

export function alertRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_alerts", {}));
}
