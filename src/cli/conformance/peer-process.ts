import type { ChildProcess } from "node:child_process";
import type { PeerProgram, ProgramEnd } from "../../conformance/ports.ts";
import { LastBytes } from "../exec/last-bytes.ts";
import { startProgram } from "../exec/program.ts";
import { killGroup, signalGroup } from "../process-group.ts";
import { withoutSecrets } from "../secrets.ts";

const OUTPUT_BYTES_KEPT = 2_000;
const OUTPUT_LINES_SHOWN = 8;

/** The shell survives the SIGTERM of its group, so that it ends with the exit code of the program. */
const untilItsEnd = (command: string): string =>
  process.platform === "win32" ? command : `trap : TERM; ${command}`;

/** The program under test, as a process group of its own. */
export class PeerProcess implements PeerProgram {
  readonly #child: ChildProcess;
  readonly #output = new LastBytes(OUTPUT_BYTES_KEPT);
  readonly ended: Promise<ProgramEnd>;
  end: ProgramEnd | null = null;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdin?.end();
    child.stdout?.on("data", (chunk: Buffer) => this.#output.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => this.#output.push(chunk));
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.end = { code, signal };
        resolve(this.end);
      });
    });
  }

  /** Starts a command line by the shell. Only the variables of the kit, and what is no secret, are in its environment. */
  static async start(command: string, variables: NodeJS.ProcessEnv): Promise<PeerProcess> {
    const child = await startProgram(untilItsEnd(command), {
      ...withoutSecrets(process.env),
      ...variables,
    });
    return new PeerProcess(child);
  }

  terminate(): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, "SIGTERM");
  }

  /** Kills the program and what it has started. */
  kill(): Promise<void> {
    return killGroup(this.#child);
  }

  get lastLines(): readonly string[] {
    const text = this.#output.bytes().toString("utf8").trim();
    return text === "" ? [] : text.split("\n").slice(-OUTPUT_LINES_SHOWN);
  }
}
