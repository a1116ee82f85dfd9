import type { MusterError } from "../protocol/errors.ts";
import type { CommandCaller } from "./caller.ts";
import { COMMAND_CALLERS, type CommandName } from "./commands.ts";

/**
 * Why a command that arrives by RPC is refused; null when its actor may send it. A session can't act as the gateway, nor
 * the gateway as a session, and the mesh's own commands never arrive by RPC.
 */
export function refuseRpcCaller(actor: string, name: CommandName): MusterError | null {
  const caller = rpcCallerOf(actor);
  if (caller !== null && caller === COMMAND_CALLERS[name]) return null;
  return { code: "forbidden", detail: `${actor} may not send the command ${name}` };
}

/** The kind of caller that an actor is; null for `mesh` and for an unknown actor. */
function rpcCallerOf(actor: string): Exclude<CommandCaller, "mesh"> | null {
  if (/^(?:peer|dial):/.test(actor)) return "session";
  if (/^cell:\d+$/.test(actor)) return "cell";
  return actor === "admin" || actor === "anonymous" || actor.startsWith("token:")
    ? "gateway"
    : null;
}
