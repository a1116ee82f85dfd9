import type { Millis } from "../../src/base/clock.ts";
import { controller, type MeshClient } from "../../src/client/index.ts";
import { KIND, type Work } from "./peers-process.ts";

/** Tasks of one request. */
const BATCH_MAX = 100;
/** So many begun tasks of a backlog are replaced at once. */
const REFILL = 5;

/** An API token that owns tasks, over the HTTP API. */
export class Owner {
  readonly label: string;
  readonly #mesh: MeshClient;

  private constructor(label: string, mesh: MeshClient) {
    this.label = label;
    this.#mesh = mesh;
  }

  /** `maxWaiting`: its quota of waiting tasks; absent: the mesh's default. */
  static async create(
    admin: MeshClient,
    url: string,
    label: string,
    maxWaiting?: number,
  ): Promise<Owner> {
    const limits = maxWaiting === undefined ? {} : { maxWaiting };
    const { token } = await admin.tokens.create("controller", label, limits);
    return new Owner(label, controller({ url, token }));
  }

  /** Submits tasks in batches; throws if the mesh refuses one. */
  async submit(count: number): Promise<void> {
    const payload = { owner: this.label, lone: null } satisfies Work;
    for (let left = count; left > 0; left -= BATCH_MAX) {
      const tasks = Array.from({ length: Math.min(BATCH_MAX, left) }, () => ({
        kind: KIND,
        payload,
      }));
      const outcomes = await this.#mesh.tasks.submitBatch(tasks);
      const refused = outcomes.find((outcome) => "error" in outcome);
      if (refused !== undefined)
        throw new Error(`${this.label}: a task was refused: ${JSON.stringify(refused)}`);
    }
  }

  /** Returns when the mesh accepted the task, in milliseconds since 1970. */
  async submitLone(lone: number): Promise<Millis> {
    const work = { owner: this.label, lone } satisfies Work;
    return Date.parse((await this.#mesh.tasks.submit(KIND, work)).created_at);
  }

  /** Its tasks that the mesh committed as succeeded in this time, in milliseconds since 1970. */
  async completedBetween(from: number, to: number): Promise<number> {
    let completed = 0;
    for await (const { ended_at: ended } of this.#mesh.tasks.list({ state: "succeeded" })) {
      const at = Date.parse(String(ended));
      if (at >= from && at < to) completed++;
    }
    return completed;
  }
}

/** Keeps tasks of an owner waiting: those that have begun are replaced, a batch at a time. */
export class Backlog {
  readonly owner: Owner;
  readonly #target: number;
  /** Tasks that the mesh has accepted and that have not begun. */
  #waiting = 0;
  #requested = 0;
  #least = Number.POSITIVE_INFINITY;

  /** `target`: how many tasks shall wait. */
  constructor(owner: Owner, target: number) {
    this.owner = owner;
    this.#target = target;
  }

  /** The fewest tasks that waited since `resetLeast`, seen when one began. */
  get least(): number {
    return this.#least;
  }

  resetLeast(): void {
    this.#least = Number.POSITIVE_INFINITY;
  }

  fill(): Promise<void> {
    return this.#submit(this.#target);
  }

  /** Records that one task has begun. */
  async began(): Promise<void> {
    this.#waiting--;
    this.#least = Math.min(this.#least, this.#waiting);
    const missing = this.#target - this.#waiting - this.#requested;
    if (missing >= REFILL) await this.#submit(missing);
  }

  async #submit(count: number): Promise<void> {
    this.#requested += count;
    await this.owner.submit(count);
    this.#requested -= count;
    this.#waiting += count;
  }
}
