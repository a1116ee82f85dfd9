import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { killGroup, registerGroup } from "../../src/cli/process-group.ts";

const PEER = join(import.meta.dirname, "peer.ts");

/** The kind of the tasks that these peers run. */
export const KIND = "work";

export interface PeerPlan {
  readonly url: string;
  readonly meshKey: string;
  readonly name: string;
  /** How long a task takes. */
  readonly serviceMs: number;
  /** Whether the handler throws at once instead. */
  readonly fails: boolean;
}

export type PeerReport =
  | { readonly type: "ready"; readonly peerId: string }
  | { readonly type: "runs"; readonly runs: number };

/** A child process that runs one peer with one slot. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly peerId: string;

  private constructor(child: ChildProcess, peerId: string) {
    this.#child = child;
    this.peerId = peerId;
  }

  /** Resolves when the mesh has welcomed the peer. */
  static async start(plan: PeerPlan): Promise<PeerProcess> {
    const child = fork(PEER, { detached: true, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    registerGroup(child);
    child.send(plan);
    const [report] = (await once(child, "message")) as [PeerReport];
    if (report.type !== "ready") throw new Error(`a peer reported ${report.type} first`);
    return new PeerProcess(child, report.peerId);
  }

  /** How often its handler was called. */
  async runs(): Promise<number> {
    this.#child.send("runs");
    const [report] = (await once(this.#child, "message")) as [PeerReport];
    if (report.type !== "runs") throw new Error(`a peer reported ${report.type}`);
    return report.runs;
  }

  /** Stops the process as a whole, or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  kill(): Promise<void> {
    return killGroup(this.#child);
  }
}
