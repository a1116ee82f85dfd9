import { ALERT_TYPES } from "../protocol/alert-types.ts";
import { ERROR_CODES } from "../protocol/error-statuses.ts";
import { AUTH_MODES, DELIVERY_OUTCOMES } from "../protocol/http.ts";
import { OTHER, type MetricFamily } from "./family.ts";

/** As `OutboxKind` has them. */
const OUTBOX_KINDS = [
  "publish",
  "delete_blob",
  "delete_result",
  "end_session",
  "probe",
  "send_to_cell",
  "pull_peers",
  "replicate",
  "check_copy",
  "drop_copy",
] as const;

/** Names of commands: those of `contract/commands.ts`. */
const COMMAND_NAMES = { upTo: 200 };

const COMMAND_RESULTS = ["ok", "refused"] as const;
const COMMAND_TYPES = ["read", "write"] as const;

export const CALLBACK_ANSWERS = ["acknowledged", "refused", "unreachable"] as const;

/** What the coordinator does besides tasks and peers. */
export const COORDINATOR_FAMILIES = {
  muster_alerts: {
    type: "gauge",
    help: "Alerts that fire.",
    unit: null,
    labels: { alert: ALERT_TYPES },
  },
  muster_alert_webhook_attempts: {
    type: "counter",
    help: "Attempts at alert webhooks, by the receiver's answer.",
    unit: null,
    labels: { answer: CALLBACK_ANSWERS },
  },
  muster_outbox_entries: {
    type: "gauge",
    help: "Work outside the database that is not done yet.",
    unit: null,
    labels: { kind: OUTBOX_KINDS },
  },
  muster_outbox_failing_entries: {
    type: "gauge",
    help: "The part of it that has failed at least once and is retried.",
    unit: null,
    labels: { kind: OUTBOX_KINDS },
  },
  muster_outbox_overdue_seconds: {
    type: "gauge",
    help: "For how long the most overdue entry of the outbox has been due; 0 if none is.",
    unit: "seconds",
    labels: {},
  },
  muster_callbacks_pending: {
    type: "gauge",
    help: "Callbacks that were not acknowledged yet.",
    unit: null,
    labels: {},
  },
  muster_callbacks_overdue_seconds: {
    type: "gauge",
    help: "For how long the most overdue callback has been due; 0 if none is.",
    unit: "seconds",
    labels: {},
  },
  muster_callback_attempts: {
    type: "counter",
    help: "Attempts at callbacks, by the receiver's answer.",
    unit: null,
    labels: { answer: CALLBACK_ANSWERS },
    isWritten: true,
  },
  muster_callbacks_failed: {
    type: "counter",
    help: "Callbacks that were given up.",
    unit: null,
    labels: {},
    isWritten: true,
  },
  muster_webhook_deliveries: {
    type: "counter",
    help: "Webhook deliveries with a valid signature, by what became of them.",
    unit: null,
    labels: { outcome: DELIVERY_OUTCOMES },
    isWritten: true,
  },
  muster_webhook_refusals: {
    type: "counter",
    help: "Webhook deliveries that were refused, by error code.",
    unit: null,
    labels: { reason: [...ERROR_CODES, OTHER] },
    isWritten: true,
  },
  muster_kv_writes: {
    type: "counter",
    help: "Writes and deletions in KV that count against the budget.",
    unit: null,
    labels: {},
    isWritten: true,
  },
  muster_kv_writes_last_day: {
    type: "gauge",
    help: "Writes and deletions in KV of the last 24 hours.",
    unit: null,
    labels: {},
  },
  muster_kv_writes_budget: {
    type: "gauge",
    help: "How many of them 24 hours may have. It grows with the number of peers.",
    unit: null,
    labels: {},
  },
  muster_storage_used_bytes: {
    type: "gauge",
    help: "Bytes that the coordinator's database uses.",
    unit: "bytes",
    labels: {},
  },
  muster_storage_limit_bytes: {
    type: "gauge",
    help: "Bytes that it may use (STORAGE_LIMIT_MB).",
    unit: "bytes",
    labels: {},
  },
  muster_storage_submissions_limit_bytes: {
    type: "gauge",
    help: "Bytes above which no task is accepted.",
    unit: "bytes",
    labels: {},
  },
  muster_commands: {
    type: "counter",
    help: "Commands of the coordinator.",
    unit: null,
    labels: { command: COMMAND_NAMES, result: COMMAND_RESULTS },
  },
  muster_command_duration_seconds: {
    type: "histogram",
    help: "Time from a command's arrival at the coordinator until its answer.",
    unit: "seconds",
    labels: { type: COMMAND_TYPES },
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  muster_coordinator_starts: {
    type: "counter",
    help: "How often the coordinator's object was loaded: after a restart, a deploy, an eviction or hibernation.",
    unit: null,
    labels: {},
  },
  muster_coordinator_start_time_seconds: {
    type: "gauge",
    help: "When it was loaded last, as Unix time.",
    unit: "seconds",
    labels: {},
  },
  muster_event_log_dropped_commits: {
    type: "counter",
    help: "Commits whose events were overwritten in the event log by newer ones. A client that resumes from before them gets a gap.",
    unit: null,
    labels: {},
    isWritten: true,
  },
  muster_cell_up: {
    type: "gauge",
    help: "In a mesh of several cells: 1 for a cell that answered, 0 for one that did not. While one does not answer, counters and histograms are left out.",
    unit: null,
    labels: { cell: { upTo: 64 } },
  },
  muster_cell_messages: {
    type: "gauge",
    help: "In a mesh of several cells: messages of all other cells that this cell has not taken.",
    unit: null,
    labels: { cell: { upTo: 64 } },
  },
  muster_cell_messages_oldest_seconds: {
    type: "gauge",
    help: "How long the oldest of them has waited; 0 if none waits.",
    unit: "seconds",
    labels: { cell: { upTo: 64 } },
  },
  muster_auth_mode: {
    type: "gauge",
    help: "1 for the auth mode that holds, 0 for the other.",
    unit: null,
    labels: { mode: AUTH_MODES },
  },
} as const satisfies Record<string, MetricFamily>;
