import type { Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { GroupedCommand } from "./execute.ts";

/** Commands in one group, so that one turn stays short: requests and alarms wait for it. */
const GROUP_MAX = 256;
/** Commands that may wait. A caller beyond it is told to come again. */
const WAITING_MAX = 8_192;

export type Answer = Result<unknown, MusterError>;

export interface CommandQueuePorts {
  /** Runs commands as one group, in one turn. Returns one answer for each; never throws. */
  readonly run: (commands: readonly GroupedCommand[]) => readonly Promise<Answer>[];
  /** Runs the work in a later turn, after the events that have arrived already. */
  readonly defer: (work: () => void) => void;
}

interface Waiting {
  readonly command: GroupedCommand;
  readonly answer: (answer: Promise<Answer>) => void;
}

/**
 * Gathers commands into groups (group commit): the first command of an idle moment runs at once. Those that arrive while its
 * turn is committed run together in the next turn, and so on.
 *
 * Source of the technique: DeWitt et al., "Implementation techniques for main memory database systems" (SIGMOD 1984).
 */
export class CommandQueue {
  readonly #ports: CommandQueuePorts;
  #waiting: Waiting[] = [];
  /** Whether a turn follows, which runs what has been gathered until then. */
  #turnFollows = false;

  constructor(ports: CommandQueuePorts) {
    this.#ports = ports;
  }

  /** Runs one caller's commands in their order, now or in the next turn. Resolves to their answers. */
  async execute(commands: readonly GroupedCommand[]): Promise<readonly Answer[]> {
    if (this.#waiting.length + commands.length > WAITING_MAX) return commands.map(() => OVERLOADED);
    const answers = commands.map(
      (command) =>
        new Promise<Answer>((answer) => {
          this.#waiting.push({ command, answer });
        }),
    );
    if (!this.#turnFollows) this.#runGroup();
    return Promise.all(answers);
  }

  /** Runs everything that waits now, for work that must come after it (the tick ends offers that were not accepted). */
  drain(): void {
    while (this.#waiting.length > 0) this.#runGroup();
  }

  #runGroup(): void {
    const group = this.#waiting.slice(0, GROUP_MAX);
    this.#waiting = this.#waiting.slice(GROUP_MAX);
    this.#gather();
    const answers = this.#ports.run(group.map(({ command }) => command));
    group.forEach(({ answer }, index) => answer(answers[index] ?? Promise.resolve(OVERLOADED)));
  }

  #gather(): void {
    if (this.#turnFollows) return;
    this.#turnFollows = true;
    this.#ports.defer(() => {
      this.#turnFollows = false;
      if (this.#waiting.length > 0) this.#runGroup();
    });
  }
}

const OVERLOADED: Answer = {
  ok: false,
  error: {
    code: "unavailable",
    detail: "the coordinator has more commands than it can answer in time; try again",
    retryAfter: 2,
  },
};
