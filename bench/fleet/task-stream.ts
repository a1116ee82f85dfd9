import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type AssignOptions, type Controller } from "../../src/client/index.ts";

export interface Ended {
  readonly given: number;
  readonly succeeded: number;
  /** Attempts beyond each task's first. */
  readonly repeated: number;
  /** What did not succeed, in words. */
  readonly wrong: readonly string[];
}

/** Gives tasks one after another, through whatever happens to the mesh, and remembers which were accepted. */
export class TaskStream {
  readonly #mesh: Controller;
  readonly #everyMs: number;
  readonly #accepted: { readonly id: string; readonly n: number }[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** `msOf` says how long the n-th task takes. */
  constructor(mesh: Controller, everyMs: number, msOf: (n: number) => number) {
    this.#mesh = mesh;
    this.#everyMs = everyMs;
    this.#running = this.#run(msOf);
  }

  /** No more tasks; once all that were accepted have ended: how. */
  async end(): Promise<Ended> {
    this.#stop.abort();
    await this.#running;
    const wrong: string[] = [];
    let repeated = 0;
    for (const { id, n } of this.#accepted) {
      const task = await this.#mesh.wait(id);
      repeated += task.attempts.length - 1;
      const isRight = task.state === "succeeded" && task.result === 2 * n;
      if (!isRight) wrong.push(`task ${n} ${task.state}: ${task.error}`);
    }
    const given = this.#accepted.length;
    return { given, succeeded: given - wrong.length, repeated, wrong };
  }

  async #run(msOf: (n: number) => number): Promise<void> {
    for (let n = 1; !this.#stop.signal.aborted; n++) {
      const { id } = await persist(this.#mesh, { n, ms: msOf(n) }, { maxAttempts: 20 });
      this.#accepted.push({ id, n });
      await sleep(this.#everyMs);
    }
  }
}

/** Gives one task for certain: under one key until the mesh, which may be away, has accepted it. */
async function persist(mesh: Controller, payload: object, options: AssignOptions) {
  const idempotencyKey = randomUUID();
  for (;;) {
    try {
      return await mesh.assign("work", payload, { ...options, idempotencyKey });
    } catch {
      await sleep(200); // the mesh is away
    }
  }
}
