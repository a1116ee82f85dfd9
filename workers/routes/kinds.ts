import {
  KindLoadView,
  KindSettingsBody,
  KindSettingsList,
  KindSettingsView,
  TaskStats,
} from "../../src/protocol/http.ts";
import { TaskKind } from "../../src/protocol/labels.ts";
import { forward, forwardEmpty, visibleTo } from "../forward.ts";
import { bodyOf, jsonOf, noContent } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("tasks", { kind: TaskKind });

const list = define("read", "get", "/v1/kinds", {
  operationId: "listKinds",
  summary: "List the kinds of tasks that have settings",
  responses: { 200: jsonOf(KindSettingsList, "The kinds") },
});
const get = define("read", "get", "/v1/kinds/{kind}", {
  operationId: "getKind",
  summary: "Show the settings of a kind",
  responses: { 200: jsonOf(KindSettingsView, "The settings") },
});
const load = define("read_metrics", "get", "/v1/kinds/{kind}/load", {
  operationId: "getKindLoad",
  summary: "Show how many tasks of a kind wait and run, of all owners, for autoscalers",
  responses: { 200: jsonOf(KindLoadView, "The load; zeros for a kind without a task") },
});
const put = define("administer", "put", "/v1/kinds/{kind}", {
  operationId: "putKind",
  summary: "Set the attempt timeout, the concurrency and the rate of a kind, in the whole mesh",
  request: { body: bodyOf(KindSettingsBody, { attempt_timeout_seconds: 60, concurrency: 4 }) },
  responses: { 200: jsonOf(KindSettingsView, "The settings") },
  failures: ["conflict", "storage_full"],
});
const remove = define("administer", "delete", "/v1/kinds/{kind}", {
  operationId: "deleteKind",
  summary: "Delete the settings of a kind",
  responses: noContent("The kind has no settings"),
});
const stats = define("read_work", "get", "/v1/tasks/stats", {
  operationId: "getTaskStats",
  summary: "Show how many tasks wait and run, by kind and by owner, and the limits that hold",
  responses: { 200: jsonOf(TaskStats, "The queue now, as far as the caller may see its tasks") },
});

/** These come before the routes of single tasks: `stats` is no task's ID. */
export function kindRoutes(router: Router): void {
  router.route(stats, (c) => forward(c, "task_stats", { visibleTo: visibleTo(c) }));
  router.route(list, (c) => forward(c, "list_kinds", {}));
  router.route(get, (c) => forward(c, "get_kind", c.req.valid("param")));
  router.route(load, (c) => forward(c, "kind_load", c.req.valid("param")));
  router.route(put, (c) =>
    forward(c, "put_kind", { ...c.req.valid("param"), settings: c.req.valid("json") }),
  );
  router.route(remove, (c) => forwardEmpty(c, "delete_kind", c.req.valid("param")));
}
