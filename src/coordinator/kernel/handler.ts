import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { Context } from "./context.ts";

/** Decides one command. An error rolls back whatever the handler wrote. */
export type Handler<K extends CommandName> = (
  context: Context,
  input: Input<K>,
) => Result<Output<K>, MusterError>;

export const done = ok({});

export const notFound = (what: string) =>
  err<MusterError>({ code: "not_found", detail: `there is no ${what}` });
