import { SECOND, type Millis } from "../base/clock.ts";
import { fromHex } from "../base/bytes.ts";
import { readDenyPlace } from "../cells/list-place.ts";
import type { GatewayCommandName } from "../contract/commands.ts";
import { peerIdOf } from "../crypto/identity.ts";
import { noImport, refusedForCells } from "./backups.ts";
import { toSelectedPeers, toTasks } from "./bulk-acts.ts";
import { toMap } from "./map.ts";
import { missingCells, toEvery } from "./every-cell.ts";
import { mergedAlerts, mergedKindLoad, mergedMetrics } from "./merged-answers.ts";
import { mergedCells } from "./merged-cells.ts";
import { eventsOfEveryCell } from "./merged-events.ts";
import { listTokens, listWebhookSources, receiveDelivery, toSource } from "./mesh-facts.ts";
import type { Route } from "./network.ts";
import { toAny, toHome, toMesh, toTask } from "./one-cell.ts";
import { betterPeer, placeOfPeer, toPagedList } from "./paged-lists.ts";
import { toPair } from "./pair-rtt.ts";
import { toHomeOrAny, toOwner } from "./several-homes.ts";
import { toSubmission } from "./submission.ts";
import { allAllowed, allStorage, toAllSessions, toSum } from "./sums.ts";
import { allTaskStats, toFailures } from "./task-sums.ts";

const idOf = ({ id }: { readonly id: string }): string => id;
const taskIdOf = ({ taskId }: { readonly taskId: string }): string => taskId;

/** A cell that takes longer is not ready. Less than who asks `/readyz` waits (workers/readiness.ts). */
const READY_WITHIN: Millis = 2 * SECOND;

/** The cells that each command of the HTTP API goes to, in a mesh of several. Total: a command without a route does not compile. */
export const ROUTES: { readonly [K in GatewayCommandName]: Route<K> } = {
  create_token: toMesh("create_token"),
  update_token: toMesh("update_token"),
  list_tokens: listTokens,
  revoke_token: toMesh("revoke_token"),
  authenticate: toAny("authenticate"),
  create_join_key: toMesh("create_join_key"),
  list_join_keys: toMesh("list_join_keys"),
  revoke_join_key: toMesh("revoke_join_key"),
  list_audit: toPagedList("list_audit", { list: "audit", items: "entries" }),
  drain_mesh: toAllSessions,
  revoke_peer: toHome("revoke_peer", idOf),
  list_denied: toPagedList("list_denied", {
    list: "denied",
    items: "entries",
    readPlace: readDenyPlace,
  }),
  lift_denial: toHome("lift_denial", idOf),
  forget_peer: toHomeOrAny("forget_peer", idOf),
  get_auth_mode: toMesh("get_auth_mode"),
  set_auth_mode: toMesh("set_auth_mode"),
  list_allowed: toSum("list_allowed", allAllowed),
  allow: toHome("allow", ({ peerId }) => peerId),
  disallow: toHome("disallow", ({ publicKey }) => peerIdOf(fromHex(publicKey) ?? new Uint8Array())),
  list_cells: toEvery("list_cells", mergedCells),
  check_ready: toEvery("check_ready", ({ missing }) => missingCells(missing), READY_WITHIN),
  list_events: eventsOfEveryCell,
  list_alerts: toEvery("list_alerts", mergedAlerts),
  cancel_tasks: toTasks("cancel_tasks"),
  retry_tasks: toTasks("retry_tasks"),
  preview_tasks: toTasks("preview_tasks"),
  list_failures: toFailures,
  dial_peer: toMesh("dial_peer"),
  list_dials: toMesh("list_dials"),
  remove_dial: toMesh("remove_dial"),
  list_pointers: toMesh("list_pointers"),
  read_discovery: toMesh("read_discovery"),
  discovery_keys: toMesh("discovery_keys"),
  collect_metrics: toEvery("collect_metrics", mergedMetrics),
  read_metrics: toEvery("read_metrics", mergedMetrics),
  kind_load: toEvery("kind_load", mergedKindLoad),
  count_refusals: toMesh("count_refusals"),
  get_peer: toHomeOrAny("get_peer", idOf),
  get_score: toHome("get_score", idOf),
  get_rtt: toPair,
  get_map: toMap,
  list_peers: toPagedList("list_peers", {
    list: "peers",
    items: "peers",
    readPlace: placeOfPeer,
    better: betterPeer,
  }),
  schedule_peer: toHome("schedule_peer", idOf),
  schedule_peers: toSelectedPeers,
  reset_circuits: toHome("reset_circuits", idOf),
  request_peer: toHome("request_peer", idOf),
  get_storage: toSum("get_storage", allStorage),
  begin_export: refusedForCells(),
  read_export: toMesh("read_export"),
  end_export: toMesh("end_export"),
  begin_import: refusedForCells(),
  get_import: noImport(),
  put_import_part: noImport(),
  read_import: noImport(),
  get_import_tables: noImport(),
  end_import: toMesh("end_import"),
  submit_task: toSubmission("submit_task"),
  enqueue_task: toSubmission("enqueue_task"),
  submit_batch: toSubmission("submit_batch"),
  get_task: toTask("get_task", idOf),
  list_tasks: toPagedList("list_tasks", { list: "tasks", items: "tasks" }),
  cancel_task: toTask("cancel_task", idOf),
  retry_task: toTask("retry_task", idOf),
  task_stats: toSum("task_stats", allTaskStats),
  list_kinds: toMesh("list_kinds"),
  get_kind: toMesh("get_kind"),
  put_kind: toMesh("put_kind"),
  delete_kind: toMesh("delete_kind"),
  why_task: toTask("why_task", idOf),
  read_payload: toTask("read_payload", taskIdOf),
  begin_result: toTask("begin_result", taskIdOf),
  result_uploaded: toTask("result_uploaded", taskIdOf),
  read_result: toTask("read_result", idOf),
  read_own_result: toHome("read_own_result", ({ peerId }) => peerId),
  trace_task: toTask("trace_task", idOf),
  put_webhook_source: toSource("put_webhook_source"),
  get_webhook_source: toSource("get_webhook_source"),
  open_webhook_source: toMesh("open_webhook_source"),
  webhook_source_versions: toMesh("webhook_source_versions"),
  list_webhook_sources: listWebhookSources,
  remove_webhook_source: toMesh("remove_webhook_source"),
  receive_delivery: receiveDelivery,
  list_deliveries: toPagedList("list_deliveries", { list: "deliveries", items: "deliveries" }),
  report_refusals: toMesh("report_refusals"),
  list_refused: toMesh("list_refused"),
  open_delivery: toOwner("open_delivery"),
  repeat_callback: toTask("repeat_callback", idOf),
  get_callback_secret: toMesh("get_callback_secret"),
  rotate_callback_secret: toMesh("rotate_callback_secret"),
  end_previous_callback_secret: toMesh("end_previous_callback_secret"),
};
