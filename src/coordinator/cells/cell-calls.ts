import type { Millis } from "../../base/clock.ts";
import type { Result } from "../../base/result.ts";
import type {
  CommandAnswer,
  CommandName,
  Input,
  Output,
  SentCommand,
} from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Registry } from "../../registry/registry.ts";

export interface CellPorts {
  readonly registry: Registry;
  readonly now: () => Millis;
  /** Runs commands here, together with those that have gathered. Never throws. */
  readonly run: (
    actor: string,
    commands: readonly SentCommand[],
  ) => Promise<readonly CommandAnswer[]>;
  /** Runs commands in another cell, whatever topology it knows. An answer that does not come in time is an `unavailable` error; never throws. */
  readonly call: (
    cell: number,
    actor: string,
    commands: readonly SentCommand[],
  ) => Promise<readonly CommandAnswer[]>;
}

/** What work before a command may use. */
export interface CellCalls extends Pick<CellPorts, "registry" | "now"> {
  readonly runHere: <K extends CommandName>(
    actor: string,
    name: K,
    input: Input<K>,
  ) => Promise<Result<Output<K>, MusterError>>;
  readonly ask: <K extends CommandName>(
    cell: number,
    actor: string,
    name: K,
    input: Input<K>,
  ) => Promise<Result<Output<K>, MusterError>>;
  /** Learns the facts of the mesh that cell 0 knows by now. False if it does not answer. */
  readonly refreshFacts: () => Promise<boolean>;
  /** The name by which this cell asks for itself. */
  readonly self: string;
}

/**
 * The work that a cell does before a command of a caller, if it has to ask another cell first; null if it has not. The work resolves to the
 * answer if another cell has given it, or to null: then the command runs here. Called only in a mesh that has more than one cell, or had.
 */
export type Before<K extends CommandName> = (
  cell: CellCalls,
  input: Input<K>,
  actor: string,
) => (() => Promise<Result<Output<K>, MusterError> | null>) | null;
