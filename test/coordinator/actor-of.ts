import { COMMAND_CALLERS, type CommandName, type Input } from "../../src/contract/commands.ts";

/** Who sends a command in these tests: the session's peer, the operator, or the mesh. */
export function actorOf<K extends CommandName>(name: K, input: Input<K>): string {
  const caller = COMMAND_CALLERS[name];
  if (caller === "mesh") return "mesh";
  return caller === "session" && "peerId" in input ? `peer:${input.peerId}` : "admin";
}
