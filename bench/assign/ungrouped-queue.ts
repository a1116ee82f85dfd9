/**
 * Takes the place of `src/coordinator/kernel/command-queue.ts` in a variant of the Worker: every command is a commit of
 * its own.
 */
import type { Answer, CommandQueuePorts } from "../../src/coordinator/kernel/command-queue.ts";
import type { GroupedCommand } from "../../src/coordinator/kernel/execute.ts";

export class CommandQueue {
  readonly #run: CommandQueuePorts["run"];

  constructor({ run }: CommandQueuePorts) {
    this.#run = run;
  }

  async execute(commands: readonly GroupedCommand[]): Promise<readonly Answer[]> {
    return Promise.all(commands.flatMap((command) => this.#run([command])));
  }

  drain(): void {
    // Nothing ever waits.
  }
}
