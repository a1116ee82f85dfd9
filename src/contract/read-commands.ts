import type { CommandName } from "./commands.ts";

/** The commands that only read. They run at once, outside of a transaction, and wait for no other command. */
const READ_COMMANDS = [
  "authenticate",
  "check_ready",
  "get_auth_mode",
  "get_callback_secret",
  "get_import",
  "get_import_tables",
  "get_kind",
  "get_map",
  "get_peer",
  "get_rtt",
  "get_score",
  "get_storage",
  "get_task",
  "get_webhook_source",
  "kind_load",
  "list_alerts",
  "list_allowed",
  "list_audit",
  "list_cells",
  "list_deliveries",
  "list_denied",
  "list_dials",
  "list_failures",
  "list_join_keys",
  "list_kinds",
  "list_peers",
  "list_refused",
  "list_tasks",
  "list_tokens",
  "list_webhook_sources",
  "open_delivery",
  "open_webhook_source",
  "preview_tasks",
  "query_task",
  "read_export",
  "read_import",
  "read_metrics",
  "read_own_result",
  "read_payload",
  "read_result",
  "task_stats",
  "trace_task",
  "webhook_source_versions",
  "why_task",
] as const satisfies readonly CommandName[];

export type ReadCommandName = (typeof READ_COMMANDS)[number];

const NAMES: ReadonlySet<string> = new Set(READ_COMMANDS);

export const isReadCommand = (name: CommandName): name is ReadCommandName => NAMES.has(name);
