/** The levels of log lines, from what is only for finding faults to what needs an operator. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A field of log lines. Its name means the same in every event and never changes. */
interface LogField {
  readonly type: "text" | "number";
  readonly meaning: string;
  /** The most characters of a text; more are cut off. */
  readonly max?: number;
}

/** The most characters of a text that states no maximum. */
export const TEXT_MAX = 256;

const text = <Max extends number = typeof TEXT_MAX>(meaning: string, max?: Max) =>
  ({ type: "text", meaning, max: max ?? TEXT_MAX }) as const;
const count = (meaning: string) => ({ type: "number", meaning }) as const;

/** Every field of log lines besides `time`, `level`, `event` and `message`. None is a secret, a payload, a result or the error text of a handler. */
export const LOG_FIELDS = {
  address: text("the IP address of the caller, or the URL that the mesh dialed", 128),
  alert: text("the key of the alert: its type and what it is about", 192),
  attempts: count("how many attempts were made"),
  auth_mode: text("`open` or `allowlist`", 16),
  code: text("the error code, as docs/troubleshooting.md lists them", 64),
  commands: text("the coordinator's commands, separated by commas"),
  condition: text("the state of the store that a replica reads", 32),
  count: count("how many"),
  detail: text("what it is, for people", 1_000),
  duration_ms: count("how long it took, in milliseconds"),
  effect: text("what the coordinator was to do after a commit", 32),
  entry: text("what an entry of the outbox does", 32),
  error: text("what was thrown", 1_000),
  exit_code: count("the exit code of the process"),
  folder: text("the folder of the mesh", 1_024),
  free_mb: count("free space, in MB"),
  host: text("the host of the receiver of a callback or an alert webhook", 256),
  kind: text("the kind of the task", 64),
  limit: count("the limit that was reached"),
  mesh_key: text("the public key of the mesh", 64),
  method: text("the HTTP method", 16),
  of: text("the event whose lines were left out", 64),
  part: text("the part of the mesh that did not answer", 64),
  path: text("the path of the request, without its query", 256),
  cell: text("the number of a cell of the mesh", 2),
  peer: text("the ID of the peer. Of a session that was refused it may be unproved", 32),
  public_url: text("where others reach the mesh", 512),
  reason: text("why", 500),
  remedy: text("what to do", 500),
  source: text("the name of the webhook source", 64),
  stack: text("where a fault was thrown", 4_000),
  state: text("the state of the task, or of the session when it ended", 32),
  status: count("the HTTP status"),
  task: text("the ID of the task", 36),
  trace: text("the trace ID of the request or the task: 32 hex characters", 32),
  url: text("where the mesh is reached", 512),
} as const satisfies Readonly<Record<string, LogField>>;

export type LogFieldName = keyof typeof LOG_FIELDS;
type ValueOf<F extends LogFieldName> = (typeof LOG_FIELDS)[F]["type"] extends "number"
  ? number
  : string;

/** Values of fields. Null: unknown, and not in the line. */
export type LogValues<F extends LogFieldName> = { readonly [Name in F]: ValueOf<Name> | null };
