import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { toHex } from "../../src/base/bytes.ts";
import { registerGroup } from "../../src/cli/process-group.ts";
import { generateIdentity } from "../../src/client/index.ts";
import type { HostReport, ToHost } from "./host-messages.ts";

const HOST = join(import.meta.dirname, "host.ts");

/** A process full of peers, in this one's hands. */
export class Host {
  readonly #child: ChildProcess;
  #reports = 0;

  constructor() {
    // A group of its own, which ends with this process at the latest, frozen or not.
    this.#child = fork(HOST, { detached: true, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    registerGroup(this.#child);
  }

  /** So many new peers join, `paceMs` apart. */
  join(
    count: number,
    mesh: { readonly url: string; readonly meshKey: string },
    { slots = 1, paceMs = 0 }: { readonly slots?: number; readonly paceMs?: number } = {},
  ): void {
    const privateKeys = Array.from({ length: count }, () => toHex(generateIdentity().privateKey));
    const { url, meshKey } = mesh;
    this.#tell({ type: "join", url, meshKey, privateKeys, slots, paceMs });
  }

  /** What its peers say of themselves. A frozen host answers once it has thawed. */
  async report(): Promise<HostReport> {
    const number = ++this.#reports;
    this.#tell({ type: "report", number });
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

  /** Ends it at once, with all its peers, who say nothing. */
  async kill(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #tell(message: ToHost): void {
    this.#child.send(message);
  }
}
