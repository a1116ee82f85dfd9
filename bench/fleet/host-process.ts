import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { toHex } from "../../src/base/bytes.ts";
import { registerGroup } from "../../src/cli/process-group.ts";
import { generateIdentity } from "../../src/client/index.ts";
import type { HostReport, HostMessage } from "./host-messages.ts";

const HOST = join(import.meta.dirname, "host.ts");

/** A child process that runs many peers. */
export class Host {
  readonly #child: ChildProcess;
  #reports = 0;

  constructor() {
    // It leads a process group, which is killed when this process exits, even if it is frozen.
    this.#child = fork(HOST, { detached: true, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    registerGroup(this.#child);
  }

  /** Starts `count` new peers, one every `paceMs`. */
  join(
    count: number,
    mesh: { readonly url: string; readonly meshKey: string },
    { slots = 1, paceMs = 0 }: { readonly slots?: number; readonly paceMs?: number } = {},
  ): void {
    const privateKeys = Array.from({ length: count }, () => toHex(generateIdentity().privateKey));
    const { url, meshKey } = mesh;
    this.#send({ type: "join", url, meshKey, privateKeys, slots, paceMs });
  }

  /** Requests a report about its peers. A frozen host answers after `thaw`. */
  async report(): Promise<HostReport> {
    const number = ++this.#reports;
    this.#send({ type: "report", number });
    for (;;) {
      const [report] = (await once(this.#child, "message")) as [HostReport];
      if (report.number === number) return report;
    }
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** Kills the process: its peers cannot close their sessions. */
  async kill(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #send(message: HostMessage): void {
    this.#child.send(message);
  }
}
