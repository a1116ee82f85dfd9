import type { Random } from "../../../src/base/clock.ts";
import { isBetterElsewhere } from "../../../src/cells/cell-digest.ts";
import type { Topology } from "../../../src/cells/topology.ts";
import { CellDigests } from "../../../src/routing/cell-digests.ts";
import { betterOfTwo, waitElsewhere } from "../../../src/routing/cell-choice.ts";
import { attemptsBeforeMove } from "../../../src/tasks/moving.ts";
import { isPanic } from "../../../src/tasks/circuit.ts";
import type { FieldMesh, FieldTask, FieldTasks } from "../../selection/field/field-mesh.ts";
import { FieldQueue } from "../../selection/field/field-queue.ts";
import { topologyOf, type CellOutage, type CellPolicies } from "./cell-fleet.ts";
import { CellLoads } from "./cell-loads.ts";

/** As `coordinator/moves`: a task moves once it has waited so long, and three times at most. */
const MOVE_WAIT_MS = 250;
const HOPS_MAX = 3;
/** A cell whose tasks wait asks others for room this often; less often while nobody has any. */
const MOVE_EVERY_MS = 250;
const MOVE_EVERY_MAX_MS = 1_000;
/** Cells that are asked besides two at random, while nobody in a cell could take some of its tasks. */
const ASKED_IN_TURN = 6;
/** The question, the answer and the message with the tasks. */
const MOVE_TAKES_MS = 100;
/** The message with a task that is handed on when it is accepted. */
const HAND_ON_TAKES_MS = 50;

export interface CellTasksOptions {
  readonly cells: number;
  readonly random: Random;
  /** Isolates of the gateway. Each has its own digests. */
  readonly gateways: number;
  /** The home of the idempotency key of a task; null if the task has none. */
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

interface Accepted {
  readonly cell: number;
  /** The cell to which the home of its idempotency key hands it on; null: it stays. */
  readonly handOnTo: number | null;
}

/** The queues of several cells: tasks go to the better of two cells, and waiting ones to cells with room. */
export class CellTasks implements FieldTasks {
  /** The cell that accepted each task. */
  readonly acceptedBy = new Map<number, number>();
  moved = 0;
  /** Calls of cells with a task. */
  submissions = 0;
  readonly #mesh: FieldMesh;
  readonly #options: CellTasksOptions;
  readonly #topology: Topology;
  readonly #queues: readonly FieldQueue[];
  readonly #cellOf = new Map<number, number>();
  readonly #loads: CellLoads;
  readonly #gateways: readonly CellDigests[];
  /** Since when each task waits. */
  readonly #since = new Map<number, number>();
  /** How often each task has moved, and how many attempts had failed when it came to its cell. */
  readonly #arrivals = new Map<number, { readonly hops: number; readonly failed: number }>();
  readonly #moveAt: Float64Array;
  readonly #moveEvery: Float64Array;
  readonly #moving: Moving[] = [];
  #woken = -1;
  /** The cell that is asked next, in turn. */
  #next = 0;

  constructor(mesh: FieldMesh, policies: CellPolicies, options: CellTasksOptions) {
    const { cells } = options;
    const { kinds } = mesh.world;
    this.#mesh = mesh;
    this.#options = options;
    this.#topology = topologyOf(cells);
    this.#queues = Array.from({ length: cells }, () => new FieldQueue(kinds));
    this.#loads = new CellLoads(mesh, policies, options);
    this.#moveAt = new Float64Array(cells);
    this.#moveEvery = new Float64Array(cells).fill(MOVE_EVERY_MS);
    this.#gateways = Array.from({ length: options.gateways }, () => new CellDigests());
  }

  push(task: FieldTask, now: number): void {
    const known = this.#cellOf.get(task.task);
    if (known !== undefined) return this.#enqueue(task, this.#cellOfRetry(task, known, now), now);
    const { cell, handOnTo } = this.#accept(task, now);
    this.acceptedBy.set(task.task, cell);
    if (handOnTo === null) return this.#enqueue(task, cell, now);
    this.#arrivals.set(task.task, { hops: 1, failed: 0 });
    this.#send({ at: now + HAND_ON_TAKES_MS, to: handOnTo, task });
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
        if (isAssigned) this.#loads.count(cell, task.kind, -1);
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
  #accept({ task, kind }: FieldTask, now: number): Accepted {
    const { random, keyed, cells, full, gateways } = this.#options;
    if (cells === 1) return { cell: 0, handOnTo: null };
    const digests = this.#gateways[Math.floor(random() * gateways)] as CellDigests;
    const name = `kind-${kind}`;
    const scope = { topology: this.#topology, now, random, digests };
    const demand = { kind: name, capabilities: [] };
    const key = keyed?.(task) ?? null;
    if (key !== null) {
      const [other = key] = betterOfTwo(scope, demand, key);
      const known = digests.get(other, now);
      const wait = known === null ? Infinity : waitElsewhere(known, demand);
      const home = waitElsewhere(digests.get(key, now), demand);
      digests.sent(home > 0 && wait < 0 ? other : key, name, 1);
      this.submissions++;
      const load = this.#loads.askedBy(digests, key, kind, now);
      const isHandedOn = wait < 0 && isBetterElsewhere(load, wait);
      return { cell: key, handOnTo: isHandedOn ? other : null };
    }
    for (let tries = 0; ; tries++) {
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
        const load = this.#loads.askedBy(digests, cell, kind, now);
        if (full?.has(cell) !== true && !isBetterElsewhere(load, wait))
          return { cell, handOnTo: null };
      }
      // Its caller repeats the request: to simplify, at once.
      if (tries > 100) throw new Error("no cell accepts a task");
    }
  }

  /** A task that failed too often in its cell goes to another one with a free slot, while it pauses. */
  #cellOfRetry({ task, kind, tried }: FieldTask, cell: number, now: number): number {
    const { cells, full } = this.#options;
    const { hops, failed } = this.#arrivals.get(task) ?? { hops: 0, failed: 0 };
    const { peers, resting } = this.#loads.handlersOf(cell, kind, now);
    const isPanicking = isPanic(resting, peers + resting);
    const isTried = tried.length - failed >= attemptsBeforeMove(isPanicking);
    if (cells === 1 || hops === HOPS_MAX || !isTried) return cell;
    const to = this.#others(cell).find((other) => {
      if (this.#isDown(other, now) || full?.has(other) === true) return false;
      const { free } = this.#loads.handlersOf(other, kind, now);
      return free > this.#loads.waitingIn(other, kind);
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

  /** Asks some other cells how many tasks of each waiting kind they would begin, and sends them so many. */
  #move(cell: number, now: number): void {
    if (this.#options.cells === 1) return;
    const before = this.moved;
    const kinds = Array.from({ length: this.#mesh.world.kinds }, (_, kind) => kind);
    const unable = kinds.filter(
      (kind) => this.#loads.waitingIn(cell, kind) > 0 && !this.#isAble(cell, kind, now),
    );
    const asked = this.#asked(cell, unable.length > 0, now);
    for (const to of asked) {
      const room = kinds.map((kind) => {
        const { free } = this.#loads.handlersOf(to, kind, now);
        return Math.max(0, free - this.#loads.waitingIn(to, kind));
      });
      this.#sendWaiting(cell, to, now, (kind) => (room[kind] as number)-- > 0);
    }
    // What nobody here could take waits where somebody can.
    for (const kind of unable) {
      const able = asked.filter((to) => this.#isAble(to, kind, now));
      const waitingIn = (to: number) =>
        kinds.reduce((sum, k) => sum + this.#loads.waitingIn(to, k), 0);
      const [shortest] = able.toSorted((one, other) => waitingIn(one) - waitingIn(other));
      if (shortest !== undefined) this.#sendWaiting(cell, shortest, now, (of) => of === kind);
    }
    const every = this.moved > before ? MOVE_EVERY_MS : 2 * (this.#moveEvery[cell] as number);
    const pause = Math.min(every, MOVE_EVERY_MAX_MS);
    this.#moveEvery[cell] = pause;
    this.#moveAt[cell] = now + pause;
  }

  /** Cells that are asked for room: as `coordinator/moves/task-mover.ts`, more while nobody here could take some tasks. */
  #asked(cell: number, isRare: boolean, now: number): readonly number[] {
    const { cells, full } = this.#options;
    const asked = new Set(this.#others(cell));
    const others = Array.from({ length: cells - 1 }, (_, n) => (cell + 1 + n) % cells);
    const inTurn = isRare ? Math.min(ASKED_IN_TURN, others.length) : 0;
    for (let turn = 0; turn < inTurn; turn++)
      asked.add(others[this.#next++ % others.length] as number);
    return [...asked].filter((to) => !this.#isDown(to, now) && full?.has(to) !== true);
  }

  /** Whether any peer could take tasks of a kind, now or later. */
  #isAble(cell: number, kind: number, now: number): boolean {
    const { peers, resting } = this.#loads.handlersOf(cell, kind, now);
    return peers + resting > 0;
  }

  /** Sends a cell those of the tasks that have waited which may go. */
  #sendWaiting(cell: number, to: number, now: number, mayGo: (kind: number) => boolean): void {
    this.#queues[cell]?.assignAt(cell, (task) => {
      const hops = this.#arrivals.get(task.task)?.hops ?? 0;
      const hasWaited = now - (this.#since.get(task.task) ?? now) >= MOVE_WAIT_MS;
      if (!hasWaited || hops === HOPS_MAX || !mayGo(task.kind)) return false;
      this.#arrivals.set(task.task, { hops: hops + 1, failed: task.tried.length });
      this.#loads.count(cell, task.kind, -1);
      this.#send({ at: now + MOVE_TAKES_MS, to, task });
      return true;
    });
  }

  #send(moving: Moving): void {
    this.#cellOf.set(moving.task.task, moving.to);
    this.#moving.push(moving);
    this.#moving.sort((a, b) => a.at - b.at);
    this.moved++;
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
    this.#loads.count(cell, task.kind, 1);
  }

  #hasWaiting = (cell: number): boolean => this.#loads.hasWaiting(cell);

  #isDown(cell: number, now: number): boolean {
    const { down } = this.#options;
    return down !== undefined && down.cell === cell && now >= down.from && now < down.to;
  }
}
