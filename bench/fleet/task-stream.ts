import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { SubmitOptions, MeshClient } from "../../src/client/index.ts";

export interface StreamResult {
  readonly given: number;
  readonly succeeded: number;
  /** Attempts beyond each task's first. */
  readonly repeated: number;
  /** The tasks that did not succeed, as texts. */
  readonly wrong: readonly string[];
}

/** Submits tasks one after another, even while the mesh is down, and records which were accepted. */
export class TaskStream {
  readonly #mesh: MeshClient;
  readonly #everyMs: number;
  readonly #accepted: { readonly id: string; readonly n: number }[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** `msOf` returns how long the n-th task takes. */
  constructor(mesh: MeshClient, everyMs: number, msOf: (n: number) => number) {
    this.#mesh = mesh;
    this.#everyMs = everyMs;
    this.#running = this.#run(msOf);
  }

  /** Stops submitting; resolves when every accepted task has ended. */
  async end(): Promise<StreamResult> {
    this.#stop.abort();
    await this.#running;
    const wrong: string[] = [];
    let repeated = 0;
    for (const { id, n } of this.#accepted) {
      const task = await this.#mesh.tasks.wait(id);
      repeated += task.attempts.length - 1;
      const isRight = task.state === "succeeded" && task.result === 2 * n;
      if (!isRight) wrong.push(`task ${n} ${task.state}: ${task.error}`);
    }
    const given = this.#accepted.length;
    return { given, succeeded: given - wrong.length, repeated, wrong };
  }

  async #run(msOf: (n: number) => number): Promise<void> {
    for (let n = 1; !this.#stop.signal.aborted; n++) {
      const { id } = await submitUntilAccepted(this.#mesh, { n, ms: msOf(n) }, { maxAttempts: 20 });
      this.#accepted.push({ id, n });
      await sleep(this.#everyMs);
    }
  }
}

/** Submits one task until the mesh, which may be down, has accepted it; the idempotency key prevents duplicates. */
async function submitUntilAccepted(mesh: MeshClient, payload: object, options: SubmitOptions) {
  const idempotencyKey = randomUUID();
  for (;;) {
    try {
      return await mesh.tasks.submit("work", payload, { ...options, idempotencyKey });
    } catch {
      await sleep(200); // the mesh is down
    }
  }
}
