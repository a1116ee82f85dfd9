import { err, ok, type Result } from "../../base/result.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Context } from "./context.ts";

/**
 * Decides one command. It reads and writes the registry, and pushes effects that are performed after the commit. An error
 * rolls back everything that the handler wrote.
 */
export type Handler<K extends CommandName> = (
  context: Context,
  input: Input<K>,
) => Result<Output<K> | AfterAssignment<Output<K>>, MusterError>;

/** A handler that answers with the output itself, so that other handlers can call it. */
export type PlainHandler<K extends CommandName> = (
  context: Context,
  input: Input<K>,
) => Result<Output<K>, MusterError>;

/** The handlers of one domain. Total: a command of the domain that has no handler does not compile. */
export type HandlersOf<Commands> = {
  readonly [K in keyof Commands & CommandName]: Handler<K>;
};

/** An answer that shows a task as it is once queued tasks have been assigned. `execute` reads it then. */
export class AfterAssignment<T> {
  readonly read: () => T;

  constructor(read: () => T) {
    this.read = read;
  }
}

/** Answers with what `read` returns once queued tasks have been assigned. */
export const afterAssignment = <T>(read: () => T) => ok(new AfterAssignment(read));

export const done = ok({});

export const notFound = (what: string) =>
  err<MusterError>({ code: "not_found", detail: `there is no ${what}` });
