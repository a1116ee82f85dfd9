import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { killGroup, registerGroup } from "../../src/cli/process-group.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
/** How long a peer may take to join, and to end after a SIGTERM. */
const TIMEOUT_MS = 60_000;

export interface JoinPlan {
  readonly url: string;
  readonly meshKey: string;
  readonly keyFile: string;
  readonly slots: number;
  readonly command: string;
  /** Holds the settings of the user, so that those of whoever runs the benchmark are left alone. */
  readonly settings: string;
}

/** A process of `muster join --exec`. */
export class JoinProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when the peer has joined. */
  static async start(plan: JoinPlan): Promise<JoinProcess> {
    const { url, meshKey, keyFile, slots, command, settings } = plan;
    const args = ["join", url, "--mesh-key", meshKey, "--key-file", keyFile, "--json", "--no-hops"];
    const { MUSTER_URL: _url, MUSTER_TOKEN: _token, ...env } = process.env;
    const child = spawn(
      process.execPath,
      [MAIN, ...args, "--slots", String(slots), "--exec", command],
      {
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...env, XDG_CONFIG_HOME: settings },
      },
    );
    registerGroup(child);
    await joined(child);
    return new JoinProcess(child);
  }

  /** Asks the process to end, as a supervisor does. Resolves with the milliseconds that it took. */
  async terminate(): Promise<number> {
    const began = performance.now();
    const exited = once(this.#child, "exit", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    this.#child.kill("SIGTERM");
    const [code, signal] = (await exited) as [number | null, string | null];
    if (code !== 0) throw new Error(`muster join ended with ${code ?? signal} after SIGTERM`);
    return performance.now() - began;
  }

  kill(): Promise<void> {
    return killGroup(this.#child);
  }
}

/** Waits for the event `ready` among the lines of JSON. They are read to the end, so that the pipe never fills. */
function joined(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error("a peer did not join in time")), TIMEOUT_MS);
  child.once("exit", (code) => reject(new Error(`muster join ended with ${code}`)));
  if (child.stdout !== null)
    createInterface(child.stdout).on("line", (line) => {
      if ((JSON.parse(line) as { type?: string }).type === "ready") resolve();
    });
  return promise.finally(() => clearTimeout(timer));
}
