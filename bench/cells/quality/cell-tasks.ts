import type { Random } from "../../../src/base/clock.ts";
import {
  digestOfKind,
  isBetterElsewhere,
  type CellDigest,
  type Load,
} from "../../../src/cells/cell-digest.ts";
import type { Topology } from "../../../src/cells/topology.ts";
import { CellDigests } from "../../../src/routing/cell-digests.ts";
import { betterOfTwo, waitElsewhere } from "../../../src/routing/cell-choice.ts";
import { attemptsBeforeMove } from "../../../src/tasks/moving.ts";
import { isPanic } from "../../../src/tasks/circuit.ts";
import type { FieldMesh, FieldTask, FieldTasks } from "../../selection/field/field-mesh.ts";
import { FieldQueue } from "../../selection/field/field-queue.ts";
import { topologyOf, type CellOutage, type CellPolicies } from "./cell-fleet.ts";

/** A cell makes its digest anew after this time. */
const DIGEST_MS = 25;
/** As `coordinator/moves`: a task moves once it has waited so long, and three times at most. */
const MOVE_WAIT_MS = 250;
const HOPS_MAX = 3;
/** A cell whose tasks wait asks others for room this often; less often while nobody has any. */
const MOVE_EVERY_MS = 250;
const MOVE_EVERY_MAX_MS = 1_000;
/** The question, the answer and the message with the tasks. */
const MOVE_TAKES_MS = 100;

export interface CellTasksOptions {
  readonly cells: number;
  readonly random: Random;
  /** Isolates of the gateway. Each has its own digests. */
  readonly gateways: number;
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
  /** Calls of cells with a task. */
  submissions = 0;
  readonly #mesh: FieldMesh;
  readonly #policies: CellPolicies;
  readonly #options: CellTasksOptions;
  readonly #topology: Topology;
  readonly #queues: readonly FieldQueue[];
  readonly #cellOf = new Map<number, number>();
  /** By cell and kind. */
  readonly #waiting: readonly Int32Array[];
  readonly #gateways: readonly CellDigests[];
  readonly #made: ({ readonly at: number; readonly digest: CellDigest } | undefined)[] = [];
  /** Since when each task waits. */
  readonly #since = new Map<number, number>();
  /** How often each task has moved, and how many attempts had failed when it came to its cell. */
  readonly #arrivals = new Map<number, { readonly hops: number; readonly failed: number }>();
  readonly #moveAt: Float64Array;
  readonly #moveEvery: Float64Array;
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
    this.#moveEvery = new Float64Array(cells).fill(MOVE_EVERY_MS);
    this.#gateways = Array.from({ length: options.gateways }, () => new CellDigests());
  }

  push(task: FieldTask, now: number): void {
    const known = this.#cellOf.get(task.task);
    if (known !== undefined) return this.#enqueue(task, this.#cellOfRetry(task, known, now), now);
    const cell = this.#accept(task, now);
    this.acceptedBy.set(task.task, cell);
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
    const { gateways } = this.#options;
    const digests = this.#gateways[Math.floor(random() * gateways)] as CellDigests;
    const name = `kind-${kind}`;
    for (let tries = 0; ; tries++) {
      const scope = { topology: this.#topology, now, random, digests };
      const demand = { kind: name, capabilities: [] };
      const [first = 0, second = 0] = betterOfTwo(scope, demand);
      for (const [nth, cell] of [first, second, first].entries()) {
        const other = cell === first ? second : first;
        const wait = nth === 2 ? Infinity : waitElsewhere(digests.get(other, now), demand);
        digests.sent(cell, name, 1);
        this.submissions++;
        if (this.#isDown(cell, now)) {
          digests.failed(cell, now);
          break;
        }
        const digest = this.#digestOf(cell, now);
        const load: Load = {
          ...digestOfKind(digest, name),
          waiting: this.#waiting[cell]?.[kind] ?? 0,
        };
        if (digests.isWanted(cell, now)) digests.learned(cell, digest, now);
        else digests.learnedKind(cell, { kind: name, ...load }, now);
        if (full?.has(cell) !== true && !isBetterElsewhere(load, wait)) return cell;
      }
      // Its caller repeats the request: to simplify, at once.
      if (tries > 100) throw new Error("no cell accepts a task");
    }
  }

  /** A task that failed too often in its cell goes to another one with a free slot, while it pauses. */
  #cellOfRetry({ task, kind, tried }: FieldTask, cell: number, now: number): number {
    const { cells, full } = this.#options;
    const { hops, failed } = this.#arrivals.get(task) ?? { hops: 0, failed: 0 };
    const { peers, resting } = this.#handlersOf(cell, kind, now);
    const isPanicking = isPanic(resting, peers + resting);
    const isTried = tried.length - failed >= attemptsBeforeMove(isPanicking);
    if (cells === 1 || hops === HOPS_MAX || !isTried) return cell;
    const to = this.#others(cell).find((other) => {
      if (this.#isDown(other, now) || full?.has(other) === true) return false;
      const { free } = this.#handlersOf(other, kind, now);
      return free > (this.#waiting[other]?.[kind] ?? 0);
    });
    if (to === undefined) return cell;
    this.#arrivals.set(task, { hops: hops + 1, failed: tried.length });
    this.moved++;
    return to;
  }

  /** One or two others, at random. */
  #others(cell: number): readonly number[] {
    const { cells, random } = this.#options;
    const draw = (): number => (cell + 1 + Math.floor(random() * (cells - 1))) % cells;
    return [...new Set([draw(), draw()])];
  }

  /** As `coordinator/cells/digest.ts` makes it. */
  #digestOf(cell: number, now: number): CellDigest {
    const made = this.#made[cell];
    if (made !== undefined && now < made.at + DIGEST_MS) return made.digest;
    const { kinds } = this.#mesh.world;
    const all = Array.from({ length: kinds }, (_, kind) => ({
      kind: `kind-${kind}`,
      ...this.#placesOf(cell, kind, now),
      waiting: this.#waiting[cell]?.[kind] ?? 0,
      meanMs: this.#policies.meanMsOf(cell, kind),
    }));
    const digest: CellDigest = {
      kinds: all,
      others: { peers: 0, slots: 0, free: 0, prefetched: 0, waiting: 0, meanMs: null },
      labels: [],
      full: this.#options.full?.has(cell) === true,
    };
    this.#made[cell] = { at: now, digest };
    return digest;
  }

  #placesOf(cell: number, kind: number, now: number): Omit<Load, "waiting" | "meanMs"> {
    const { resting: _resting, ...places } = this.#handlersOf(cell, kind, now);
    return places;
  }

  #handlersOf(cell: number, kind: number, now: number) {
    const { connected, held, world } = this.#mesh;
    const found = { peers: 0, slots: 0, free: 0, prefetched: 0, resting: 0 };
    for (const worker of this.#policies.ownOf[cell] ?? []) {
      if (connected[worker] === 0 || !this.#mesh.handles(worker, kind)) continue;
      const state = this.#policies.stateOf(worker, kind, now);
      if (state === "open" || state === "refusing") {
        found.resting++;
        continue;
      }
      // One that has rested is probed by one task at a time.
      const slots = state === "half_open" ? 1 : (world.slots[worker] as number);
      const left = slots - (held[worker] as number);
      found.peers++;
      found.slots += slots;
      found.free += Math.max(0, left);
      found.prefetched += state === "half_open" ? 0 : Math.max(0, -left);
    }
    return found;
  }

  /** Asks two other cells how many tasks of each waiting kind they would begin, and sends them so many. */
  #move(cell: number, now: number): void {
    const { cells, full } = this.#options;
    if (cells === 1) return;
    const before = this.moved;
    for (const to of this.#others(cell)) {
      if (this.#isDown(to, now) || full?.has(to) === true) continue;
      const room = Array.from(this.#waiting[to] ?? [], (waiting, kind) =>
        Math.max(0, this.#handlersOf(to, kind, now).free - waiting),
      );
      this.#queues[cell]?.assignAt(cell, (task) => {
        const hops = this.#arrivals.get(task.task)?.hops ?? 0;
        const hasWaited = now - (this.#since.get(task.task) ?? now) >= MOVE_WAIT_MS;
        if (!hasWaited || hops === HOPS_MAX || (room[task.kind] ?? 0) === 0) return false;
        this.#arrivals.set(task.task, { hops: hops + 1, failed: task.tried.length });
        room[task.kind] = (room[task.kind] ?? 0) - 1;
        this.#count(cell, task, -1);
        this.#moving.push({ at: now + MOVE_TAKES_MS, to, task });
        this.moved++;
        return true;
      });
    }
    const every = this.moved > before ? MOVE_EVERY_MS : 2 * (this.#moveEvery[cell] as number);
    const pause = Math.min(every, MOVE_EVERY_MAX_MS);
    this.#moveEvery[cell] = pause;
    this.#moveAt[cell] = now + pause;
  }

  #arrive(now: number): void {
    while (this.#moving[0] !== undefined && this.#moving[0].at <= now) {
      const { task, to } = this.#moving.shift() as Moving;
      this.#enqueue(task, to, now);
    }
  }

  #enqueue(task: FieldTask, cell: number, now: number): void {
    if (!this.#hasWaiting(cell)) {
      this.#moveEvery[cell] = MOVE_EVERY_MS;
      this.#moveAt[cell] = now + MOVE_WAIT_MS;
    }
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
