import { execFile, spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cleanEnvironment, eventually, PROJECT } from "../e2e/processes.ts";

const run = promisify(execFile);
const SOURCE = join(PROJECT, "examples/go-peer");
/** Downloading and compiling everything takes minutes on two busy cores. */
const BUILD_MS = 400_000;

/** Why the example can't be built here, or null. A toolchain that is too old would have to fetch another one. */
export async function missingForGoExample(): Promise<string | null> {
  try {
    await run("go", ["version"]);
  } catch {
    return "Go is not installed";
  }
  try {
    await run("go", ["mod", "download"], { cwd: SOURCE, timeout: BUILD_MS });
  } catch {
    return "the Go module proxy is unreachable, or Go is older than 1.24";
  }
  return null;
}

export const go = async (...args: readonly string[]): Promise<string> =>
  (await run("go", args, { cwd: SOURCE, timeout: BUILD_MS })).stdout;

/** The files that gofmt would change. */
export const unformatted = async (): Promise<string> =>
  (await run("gofmt", ["-l", "."], { cwd: SOURCE })).stdout;

/** The example as a running process. */
export class GoExample {
  readonly #child: ChildProcess;
  readonly exit: Promise<number | null>;
  output = "";

  constructor(binary: string, env: Readonly<Record<string, string>>) {
    const stdio = ["ignore", "ignore", "pipe"] as const;
    this.#child = spawn(binary, { env: { ...cleanEnvironment(), ...env }, stdio: [...stdio] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.exit = new Promise((resolve) => this.#child.once("close", resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until a line of its log has this message, `times` times since it started. */
  async says(message: string, times = 1): Promise<void> {
    await eventually(
      () => this.output.split(`msg=${message} `).length > times,
      () => `${message}, ${times} times, in: ${this.output}`,
    );
  }
}
