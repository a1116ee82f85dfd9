import type { Command } from "./command.ts";

export interface CommandGroup {
  readonly title: string;
  readonly commands: Readonly<Record<string, Command>>;
}

export const commandsOf = (groups: readonly CommandGroup[]): Readonly<Record<string, Command>> =>
  Object.assign({}, ...groups.map(({ commands }) => commands)) as Record<string, Command>;
