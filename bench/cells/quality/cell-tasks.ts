import type { Random } from "../../../src/base/clock.ts";
import type { CellDigest } from "../../../src/cells/cell-digest.ts";
import type { Topology } from "../../../src/cells/topology.ts";
import { CellDigests } from "../../../src/routing/cell-digests.ts";
import { betterOfTwo } from "../../../src/routing/submission.ts";
import type { FieldMesh, FieldTask, FieldTasks } from "../../selection/field/field-mesh.ts";
import { FieldQueue } from "../../selection/field/field-queue.ts";
import { topologyOf, type CellOutage, type CellPolicies } from "./cell-fleet.ts";

/** Isolates of the gateway. Each has its own digests. */
const GATEWAYS = 8;
/** A cell makes its digest anew after this time. */
const DIGEST_MS = 250;
/** As `coordinator/moves`: a task moves once it has waited so long, and three times at most. */
const MOVE_WAIT_MS = 1_000;
const HOPS_MAX = 3;
/** A cell whose tasks wait asks others for room this often. */
const MOVE_EVERY_MS = 1_000;
/** The question, the answer and the message with the tasks. */
const MOVE_TAKES_MS = 100;

export interface CellTasksOptions {
  readonly cells: number;
  readonly random: Random;
  /** The cell of a task that has an idempotency key; null for others. */
  readonly keyed?: ((task: number) => number | null) | undefined;
  readonly down?: CellOutage | undefined;
  /** Cells that accept no task. */
  readonly full?: ReadonlySet<number> | undefined;
}

interface Moving {
  readonly at: number;
  readonly to: number;
  readonly task: FieldTask;
}

/** The queues of several cells: tasks go to the better of two cells, and waiting ones to cells with room. */
export class CellTasks implements FieldTasks {
  /** The cell that accepted each task. */
  readonly acceptedBy = new Map<number, number>();
  moved = 0;
  readonly #mesh: FieldMesh;
  readonly #policies: CellPolicies;
  readonly #options: CellTasksOptions;
  readonly #topology: Topology;
  readonly #queues: readonly FieldQueue[];
  readonly #cellOf = new Map<number, number>();
  /** By cell and kind. */
  readonly #waiting: readonly Int32Array[];
  readonly #gateways = Array.from({ length: GATEWAYS }, () => new CellDigests());
  readonly #made: ({ readonly at: number; readonly digest: CellDigest } | undefined)[] = [];
  /** Since when each task waits, and how often it has moved. */
  readonly #since = new Map<number, number>();
  readonly #hops = new Map<number, number>();
  readonly #moveAt: Float64Array;
  readonly #moving: Moving[] = [];
  #woken = -1;

  constructor(mesh: FieldMesh, policies: CellPolicies, options: CellTasksOptions) {
    const { cells } = options;
    const { kinds } = mesh.world;
    this.#mesh = mesh;
    this.#policies = policies;
    this.#options = options;
    this.#topology = topologyOf(cells);
    this.#queues = Array.from({ length: cells }, () => new FieldQueue(kinds));
    this.#waiting = Array.from({ length: cells }, () => new Int32Array(kinds));
    this.#moveAt = new Float64Array(cells);
  }

  push(task: FieldTask, now: number): void {
    const known = this.#cellOf.get(task.task);
    const cell = known ?? this.#accept(task, now);
    if (known === undefined) this.acceptedBy.set(task.task, cell);
    this.#enqueue(task, cell, now);
  }

  *rest(): Iterable<FieldTask> {
    for (const queue of this.#queues) yield* queue.rest();
    for (const { task } of this.#moving) yield task;
  }

  assign(now: number, assign: (task: FieldTask, cell: number) => boolean): void {
    this.#arrive(now);
    for (const [cell, queue] of this.#queues.entries()) {
      if (!this.#hasWaiting(cell) || this.#isDown(cell, now)) continue;
      queue.assignAt(cell, (task) => {
        const isAssigned = assign(task, cell);
        if (isAssigned) this.#count(cell, task, -1);
        return isAssigned;
      });
      if (this.#hasWaiting(cell) && now >= (this.#moveAt[cell] ?? 0)) this.#move(cell, now);
    }
  }

  wakesAt(now: number): number | null {
    const due = this.#queues.flatMap((_, cell) =>
      this.#hasWaiting(cell) ? [Math.max(now + 1, this.#moveAt[cell] ?? 0)] : [],
    );
    const next = Math.min(...due, ...this.#moving.map(({ at }) => at));
    if (next === Infinity || (this.#woken > now && this.#woken <= next)) return null;
    this.#woken = next;
    return next;
  }

  /** Submits a task through one of the isolates of the gateway. */
  #accept({ task, kind }: FieldTask, now: number): number {
    const { random, keyed, cells, full } = this.#options;
    const key = keyed?.(task) ?? null;
    if (cells === 1) return 0;
    if (key !== null) return key;
    const digests = this.#gateways[Math.floor(random() * GATEWAYS)] as CellDigests;
    const name = `kind-${kind}`;
    for (let tries = 0; ; tries++) {
      const scope = { topology: this.#topology, now, random, digests };
      for (const cell of betterOfTwo(scope, { kind: name, capabilities: [] })) {
        digests.sent(cell, name, 1);
        if (this.#isDown(cell, now)) {
          digests.failed(cell, now);
          break;
        }
        if (digests.isWanted(cell, now)) digests.learned(cell, this.#digestOf(cell, now), now);
        if (full?.has(cell) !== true) return cell;
      }
      // Its caller repeats the request: to simplify, at once.
      if (tries > 100) throw new Error("no cell accepts a task");
    }
  }

  /** As `coordinator/cells/digest.ts` makes it. */
  #digestOf(cell: number, now: number): CellDigest {
    const made = this.#made[cell];
    if (made !== undefined && now < made.at + DIGEST_MS) return made.digest;
    const { kinds } = this.#mesh.world;
    const all = Array.from({ length: kinds }, (_, kind) => ({
      kind: `kind-${kind}`,
      ...this.#handlersOf(cell, kind, now),
      waiting: this.#waiting[cell]?.[kind] ?? 0,
      meanMs: this.#policies.meanMsOf(cell, kind),
    }));
    const digest: CellDigest = {
      kinds: all,
      others: { peers: 0, free: 0, waiting: 0, meanMs: null },
      labels: [],
      full: this.#options.full?.has(cell) === true,
    };
    this.#made[cell] = { at: now, digest };
    return digest;
  }

  #handlersOf(
    cell: number,
    kind: number,
    now: number,
  ): { readonly peers: number; readonly free: number } {
    const { connected, held, world } = this.#mesh;
    let [peers, free] = [0, 0];
    for (const worker of this.#policies.ownOf[cell] ?? []) {
      if (connected[worker] === 0 || !this.#mesh.handles(worker, kind)) continue;
      if (this.#policies.isResting(worker, kind, now)) continue;
      peers++;
      free += Math.max(0, (world.slots[worker] as number) - (held[worker] as number));
    }
    return { peers, free };
  }

  /** Asks two other cells how many tasks of each waiting kind they would begin, and sends them so many. */
  #move(cell: number, now: number): void {
    const { cells, random, full } = this.#options;
    this.#moveAt[cell] = now + MOVE_EVERY_MS;
    if (cells === 1) return;
    const first = (cell + 1 + Math.floor(random() * (cells - 1))) % cells;
    const others = new Set([first, (cell + 1 + Math.floor(random() * (cells - 1))) % cells]);
    for (const to of others) {
      if (to === cell || this.#isDown(to, now) || full?.has(to) === true) continue;
      const room = Array.from(this.#waiting[to] ?? [], (waiting, kind) =>
        Math.max(0, this.#handlersOf(to, kind, now).free - waiting),
      );
      this.#queues[cell]?.assignAt(cell, (task) => {
        const hops = this.#hops.get(task.task) ?? 0;
        const hasWaited = now - (this.#since.get(task.task) ?? now) >= MOVE_WAIT_MS;
        if (!hasWaited || hops === HOPS_MAX || (room[task.kind] ?? 0) === 0) return false;
        this.#hops.set(task.task, hops + 1);
        room[task.kind] = (room[task.kind] ?? 0) - 1;
        this.#count(cell, task, -1);
        this.#moving.push({ at: now + MOVE_TAKES_MS, to, task });
        this.moved++;
        return true;
      });
    }
  }

  #arrive(now: number): void {
    while (this.#moving[0] !== undefined && this.#moving[0].at <= now) {
      const { task, to } = this.#moving.shift() as Moving;
      this.#enqueue(task, to, now);
    }
  }

  #enqueue(task: FieldTask, cell: number, now: number): void {
    if (!this.#hasWaiting(cell))
      this.#moveAt[cell] = Math.max(this.#moveAt[cell] ?? 0, now + MOVE_WAIT_MS);
    this.#since.set(task.task, now);
    this.#cellOf.set(task.task, cell);
    this.#queues[cell]?.push(task);
    this.#count(cell, task, 1);
  }

  #count(cell: number, { kind }: FieldTask, change: number): void {
    const waiting = this.#waiting[cell] as Int32Array;
    waiting[kind] = (waiting[kind] as number) + change;
  }

  #hasWaiting = (cell: number): boolean => (this.#waiting[cell] ?? []).some((count) => count > 0);

  #isDown(cell: number, now: number): boolean {
    const { down } = this.#options;
    return down !== undefined && down.cell === cell && now >= down.from && now < down.to;
  }
}
