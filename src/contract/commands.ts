import type { Result } from "../base/result.ts";
import type { MusterError } from "../protocol/errors.ts";
import { ACCESS_CALLERS, type AccessCommands } from "./access.ts";
import { ADMISSION_CALLERS, type AdmissionCommands } from "./admission.ts";
import { ALERT_CALLERS, type AlertCommands } from "./alerts.ts";
import { BULK_TASK_CALLERS, type BulkTaskCommands } from "./bulk-tasks.ts";
import type { CallersOf, CommandCaller } from "./caller.ts";
import { CELL_FIGURE_CALLERS, type CellFigureCommands } from "./cell-figures.ts";
import { CELL_CALLERS, type CellCommands } from "./cells.ts";
import { DIALING_CALLERS, type DialingCommands } from "./dialing.ts";
import { DISCOVERY_CALLERS, type DiscoveryCommands } from "./discovery.ts";
import { EVENT_CALLERS, type EventCommands } from "./events.ts";
import { KERNEL_CALLERS, type KernelCommands } from "./kernel.ts";
import { METRIC_CALLERS, type MetricCommands } from "./metrics.ts";
import { PEER_CALLERS, type PeerCommands } from "./peers.ts";
import { STORAGE_CALLERS, type StorageCommands } from "./storage.ts";
import { TASK_CALLERS, type TaskCommands } from "./tasks.ts";
import { TASK_MOVE_CALLERS, type TaskMoveCommands } from "./task-moves.ts";
import { TRACING_CALLERS, type TracingCommands } from "./tracing.ts";
import { WEBHOOK_CALLERS, type WebhookCommands } from "./webhooks.ts";

/** Every command of the coordinator: who may send it, what it receives, what it answers. */
export interface Commands
  extends
    AdmissionCommands,
    PeerCommands,
    TaskCommands,
    BulkTaskCommands,
    DiscoveryCommands,
    DialingCommands,
    WebhookCommands,
    StorageCommands,
    TracingCommands,
    AccessCommands,
    EventCommands,
    MetricCommands,
    AlertCommands,
    CellCommands,
    TaskMoveCommands,
    CellFigureCommands,
    KernelCommands {}

export type CommandName = keyof Commands;
export type Input<K extends CommandName> = Commands[K]["input"];
export type Output<K extends CommandName> = Commands[K]["output"];

type CommandsOf<C extends CommandCaller> = {
  [K in CommandName]: Commands[K]["caller"] extends C ? K : never;
}[CommandName];

/** Names of the commands that a peer's session sends. */
export type SessionCommandName = CommandsOf<"session">;
/** Names of the commands that the HTTP gateway sends. */
export type GatewayCommandName = CommandsOf<"gateway">;
/** Names of the commands that the mesh runs by itself. */
export type MeshCommandName = CommandsOf<"mesh">;

/** A command as it is sent. */
export interface SentCommand<K extends CommandName = CommandName> {
  readonly name: K;
  readonly input: Input<K>;
}

/** The answer to a command. It belongs to the command, which the type can't say. */
export type CommandAnswer = Result<unknown, MusterError>;

/** A command that a session sends: the name and the input that belongs to it. */
export type SessionCommand = {
  [K in SessionCommandName]: { readonly name: K; readonly input: Input<K> };
}[SessionCommandName];

/** A command that a session sent, with the coordinator's answer to it. */
export type SessionAnswer = {
  [K in SessionCommandName]: {
    readonly name: K;
    readonly input: Input<K>;
    readonly result: Result<Output<K>, MusterError>;
  };
}[SessionCommandName];

/** Who may send each command. */
export const COMMAND_CALLERS: CallersOf<Commands> = {
  ...ADMISSION_CALLERS,
  ...PEER_CALLERS,
  ...TASK_CALLERS,
  ...BULK_TASK_CALLERS,
  ...DISCOVERY_CALLERS,
  ...DIALING_CALLERS,
  ...WEBHOOK_CALLERS,
  ...STORAGE_CALLERS,
  ...TRACING_CALLERS,
  ...ACCESS_CALLERS,
  ...EVENT_CALLERS,
  ...METRIC_CALLERS,
  ...ALERT_CALLERS,
  ...CELL_CALLERS,
  ...TASK_MOVE_CALLERS,
  ...CELL_FIGURE_CALLERS,
  ...KERNEL_CALLERS,
};
