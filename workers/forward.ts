import type { TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import { visibleOwner } from "../src/access/scope.ts";
import type { GatewayCommandName, Input, Output } from "../src/contract/commands.ts";
import type { AppContext } from "./context.ts";
import { respond } from "./problem.ts";

type Status = 200 | 201 | 202;
type JsonResponse<T, S extends Status> = Response & TypedResponse<JSONParsed<T>, S, "json">;

/** Sends the coordinator one command, and answers with the command's output as JSON, or with the problem document. */
export async function forward<K extends GatewayCommandName, S extends Status = 200>(
  c: AppContext,
  command: K,
  input: Input<K>,
  status?: S,
): Promise<JsonResponse<Output<K>, S>> {
  const result = await c.var.coordinator.call(command, input);
  return respond(c, result, (output) => c.json(output as object, status ?? 200)) as never;
}

/** The same for a command that has no output: 204. */
export async function forwardEmpty<K extends GatewayCommandName>(
  c: AppContext,
  command: K,
  input: Input<K>,
): Promise<Response & TypedResponse<null, 204, "body">> {
  const result = await c.var.coordinator.call(command, input);
  return respond(c, result, () => c.body(null, 204));
}

/** The owner whose tasks this caller may see; null when it may see all. */
export const visibleTo = (c: AppContext): string | null => visibleOwner(c.var.caller);
