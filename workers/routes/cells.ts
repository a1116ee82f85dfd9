import { CellsView } from "../../src/protocol/http.ts";
import { forward } from "../forward.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("mesh", {});

const list = define("read", "get", "/v1/cells", {
  operationId: "listCells",
  summary: "Show the cells of the mesh, what each has, and whether their number changes",
  responses: { 200: jsonOf(CellsView, "The cells") },
});

export function cellRoutes(router: Router): void {
  router.route(list, (c) => forward(c, "list_cells", {}));
}
