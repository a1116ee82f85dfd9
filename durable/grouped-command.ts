import type { Input } from "../src/contract/commands.ts";
import { isReadCommand, type ReadCommandName } from "../src/contract/read-commands.ts";
import type { GroupedCommand } from "../src/coordinator/kernel/execute.ts";
import type { RpcCommand } from "./rpc.ts";

/** A command with its actor. Its name and its input belong together, which a generic type can't say of a union. */
export const grouped = (actor: string, { name, input }: RpcCommand): GroupedCommand =>
  ({ name, input, actor }) as GroupedCommand;

interface Read {
  readonly name: ReadCommandName;
  readonly input: Input<ReadCommandName>;
}

/** The command, if there is one and it only reads; else null. */
export function onlyRead(commands: readonly RpcCommand[]): Read | null {
  const [only] = commands;
  return only !== undefined && commands.length === 1 && isReadCommand(only.name)
    ? (only as Read)
    : null;
}

/** The names of commands, each once, for the log. */
export const namesOf = (commands: readonly { readonly name: string }[]): string =>
  [...new Set(commands.map(({ name }) => name))].join(", ");
