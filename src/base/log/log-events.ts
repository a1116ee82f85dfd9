import type { LogFieldName, LogLevel, LogValues } from "./log-fields.ts";

/** What a kind of log line says. */
export interface LogEventType {
  /** Unless the caller says otherwise. */
  readonly level: LogLevel;
  /** For people. `{field}` stands for the value of that field. May change; the name of the event does not. */
  readonly message: string;
  readonly fields: readonly LogFieldName[];
  /** Lines in a minute, if not `LINES_PER_MINUTE`. */
  readonly perMinute?: number;
}

/** Lines of one event that a process or an isolate writes in a minute. Whoever can cause one can cause many. */
export const LINES_PER_MINUTE = 20;

const FAULT = ["error", "stack"] as const;
const OF_TASK = ["task", "kind", "trace"] as const;

/** What the Worker logs: the gateway, sessions, the coordinator, replicas. */
const WORKER_EVENTS = {
  "mesh.misconfigured": {
    level: "error",
    message: "the mesh answers no request: {reason}",
    fields: ["reason"],
  },
  "request.answered": {
    level: "debug",
    message: "{method} {path}: {status} after {duration_ms} ms",
    fields: ["method", "path", "status", "duration_ms", "trace"],
    perMinute: 600,
  },
  "request.unavailable": {
    level: "warn",
    message: "{method} {path} was answered with {status}",
    fields: ["method", "path", "status", "duration_ms", "trace"],
  },
  "request.failed": {
    level: "error",
    message: "{method} {path} failed because of a defect: {error}",
    fields: ["method", "path", "trace", ...FAULT],
  },
  "request.refused": {
    level: "info",
    message: "a request was refused before its caller was known: {code}",
    // The address is before the path in a line of text, so that no path stands for one where addresses are looked for.
    fields: ["code", "address", "method", "path", "trace"],
  },
  "webhook.refused": {
    level: "info",
    message: "a delivery to the webhook source {source} was refused: {code}",
    fields: ["source", "code", "address", "trace"],
  },
  "import.committed": {
    level: "info",
    message: "a backup was imported; the coordinator starts again with it",
    fields: [],
  },
  "part.unavailable": {
    level: "error",
    message: "{part} does not answer: {error}",
    fields: ["part", ...FAULT],
  },
  "coordinator.call_failed": {
    level: "error",
    message: "the coordinator did not answer {commands}: {error}",
    fields: ["commands", "duration_ms", ...FAULT],
  },
  "cells.call_failed": {
    level: "error",
    message: "cell {cell} of the mesh did not answer {commands}: {error}",
    fields: ["cell", "commands", ...FAULT],
  },
  "coordinator.commands_failed": {
    level: "error",
    message: "{commands} failed, and nothing of it was committed: {error}",
    fields: ["commands", ...FAULT],
  },
  "coordinator.tick_failed": {
    level: "error",
    message: "the work that was due failed and is repeated: {error}",
    fields: FAULT,
  },
  "coordinator.effect_failed": {
    level: "error",
    message: "an effect of a command failed ({effect}): {error}",
    fields: ["effect", "peer", "task", ...FAULT],
  },
  "outbox.entry_failed": {
    level: "warn",
    message: "an entry of the outbox failed ({entry}) and is repeated: {error}",
    fields: ["entry", "error"],
  },
  "background.failed": {
    level: "error",
    message: "work in the background failed: {error}",
    fields: FAULT,
  },
  "offer.failed": {
    level: "warn",
    message: "the peer {peer} could not be offered a task: {error}",
    fields: ["peer", ...OF_TASK, "error"],
  },
  "dial.failed": {
    level: "warn",
    message: "the object that dials did not answer: {error}",
    fields: ["error"],
  },
  "dial.unreachable": {
    level: "info",
    message: "a peer that the mesh dials can't be reached: {error}",
    fields: ["address", "error"],
  },
  "callback.answer_lost": {
    level: "error",
    message: "the answer to a callback was not recorded; the attempt is repeated: {error}",
    fields: ["task", "host", ...FAULT],
  },
  "callback.given_up": {
    level: "warn",
    message: "the callback to {host} was given up",
    fields: [...OF_TASK, "host", "attempts", "status"],
  },
  "alert.fired": {
    level: "warn",
    message: "the alert {alert} fires: {detail}",
    fields: ["alert", "peer", "kind", "detail"],
  },
  "alert.ended": {
    level: "info",
    message: "the alert {alert} has ended",
    fields: ["alert", "peer", "kind"],
  },
  "alert.answer_lost": {
    level: "error",
    message:
      "the answer of the alert webhook at {host} was not recorded; the attempt is repeated: {error}",
    fields: ["host", ...FAULT],
  },
  "alert.given_up": {
    level: "warn",
    message: "the webhook at {host} was not told of the alert {alert}, and is not told again",
    fields: ["alert", "host", "attempts", "status"],
  },
  "task.failed": {
    level: "info",
    message: "a task of the kind {kind} has ended: {state}",
    fields: [...OF_TASK, "state", "attempts"],
  },
  "result.not_stored": {
    level: "error",
    message: "a large result could not be stored, and its attempt is given up: {error}",
    fields: ["peer", "task", ...FAULT],
  },
  "spans.dropped": {
    level: "warn",
    message: "spans were not sent: {reason}",
    fields: ["reason", "count"],
  },
  "session.opened": {
    level: "debug",
    message: "the peer {peer} has a session",
    fields: ["peer", "address"],
    perMinute: 120,
  },
  "session.refused": {
    level: "info",
    message: "a connection was refused: {code}",
    fields: ["code", "peer", "address", "state"],
  },
  "session.ended": {
    level: "info",
    message: "the mesh ended the session of the peer {peer}: {code}",
    fields: ["code", "peer", "address"],
  },
  "session.timer_failed": {
    level: "error",
    message: "the timer of a session failed and is set again: {error}",
    fields: FAULT,
  },
  "session.event_failed": {
    level: "error",
    message: "an event of a dialed connection failed: {error}",
    fields: FAULT,
  },
  "session.not_asked": {
    level: "warn",
    message: "the older session of the peer {peer} did not say whether it is alive: {error}",
    fields: ["peer", "error"],
  },
  "replica.store_unreadable": {
    level: "error",
    message: "the store can't be read: {error}",
    fields: ["error"],
  },
  "replica.store_changed": {
    level: "warn",
    message: "the store is now {condition}",
    fields: ["condition"],
  },
  "replica.request_failed": {
    level: "error",
    message: "a request failed because of a defect: {error}",
    fields: FAULT,
  },
} as const satisfies Readonly<Record<string, LogEventType>>;

/** What the host of a self-hosted mesh logs besides. */
const HOST_EVENTS = {
  "mesh.started": {
    level: "info",
    message: "the mesh runs",
    fields: ["url", "public_url", "mesh_key", "auth_mode", "folder"],
  },
  "mesh.stopping": {
    level: "info",
    message: "the mesh stops: its peers are told to come back",
    fields: ["reason"],
  },
  "mesh.stopped": { level: "info", message: "the mesh has stopped", fields: [] },
  /** On stderr: see `muster serve`. */
  "mesh.failed": {
    level: "error",
    message: "{error}",
    fields: ["error", "code", "remedy", "exit_code"],
  },
  "disk.full": {
    level: "error",
    message:
      "the disk of {folder} is full: {reason}. What does not fit is refused (507), reads go on, and nothing that was acknowledged is lost: free space on it",
    fields: ["folder", "reason"],
  },
  "disk.has_room": {
    level: "info",
    message: "the disk of {folder} has room again: {free_mb} MB are free",
    fields: ["folder", "free_mb"],
  },
  "database.damaged": {
    level: "error",
    message:
      "a database of the mesh in {folder} is damaged ({reason}): stop the mesh, and restore a backup into a new folder",
    fields: ["folder", "reason"],
  },
  "tls.reloaded": { level: "info", message: "the TLS certificate was read again", fields: [] },
  "tls.unusable": {
    level: "error",
    message: "the TLS certificate stays as it was: {reason}",
    fields: ["reason"],
  },
  "connection.refused": {
    level: "warn",
    message:
      "connections of {address} are refused: it has {limit} open (MUSTER_CONNECTIONS_PER_ADDRESS)",
    fields: ["address", "limit"],
    perMinute: 1,
  },
  "workerd.crashed": {
    level: "error",
    message: "workerd ended unexpectedly ({reason})",
    fields: ["reason"],
  },
  /** What workerd itself writes, at its level. */
  "workerd.output": { level: "error", message: "{detail}", fields: ["detail"], perMinute: 120 },
} as const satisfies Readonly<Record<string, LogEventType>>;

/** Every event that Muster logs. docs/logs.md lists them. */
export const LOG_EVENTS = {
  ...WORKER_EVENTS,
  ...HOST_EVENTS,
  "log.left_out": {
    level: "warn",
    message: "{count} more lines of {of} were left out",
    fields: ["of", "count"],
    perMinute: 600,
  },
} as const satisfies Readonly<Record<string, LogEventType>>;

export type LogEvent = keyof typeof LOG_EVENTS;
export const isLogEvent = (name: unknown): name is LogEvent =>
  typeof name === "string" && Object.hasOwn(LOG_EVENTS, name);

/** The values that a line of this event has. */
export type LogValuesOf<E extends LogEvent> = LogValues<(typeof LOG_EVENTS)[E]["fields"][number]>;

/** An event with its values. */
export type LogEntry = {
  [E in LogEvent]: { readonly event: E; readonly values: LogValuesOf<E> };
}[LogEvent];

/** The fields of what was thrown: a fault, whose stack is in the log and nowhere else. */
export const faultOf = (thrown: unknown): LogValues<"error" | "stack"> => ({
  error: String(thrown),
  stack: thrown instanceof Error ? (thrown.stack ?? null) : null,
});
