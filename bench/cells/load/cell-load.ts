import { digestOf } from "../../../src/coordinator/cells/digest.ts";
import { homeOf } from "../../../src/cells/topology.ts";
import { cellOfTask } from "../../../src/cells/task-cell.ts";
import type { CommandAnswer, SentCommand } from "../../../src/contract/commands.ts";
import type { SessionRef } from "../../../src/peers/session-orders.ts";
import { SubmitTask } from "../../../src/protocol/http.ts";
import type { TaskOffer } from "../../../src/protocol/messages.ts";
import { DEFAULT_POLICY } from "../../../src/tasks/policy.ts";
import { CellDigests } from "../../../src/routing/cell-digests.ts";
import { betterOfTwo } from "../../../src/routing/cell-choice.ts";
import { CellMesh } from "../../../test/cells/cell-mesh.ts";
import { fillCell, type PeerPlan } from "./fill-cell.ts";

/** Attempts that peers hold at the same time: the oldest ends with each task that is submitted. */
const RUNNING = 2_000;
const TASK = SubmitTask.parse({ kind: "work", payload: { n: 1 } });

interface Held {
  readonly to: SessionRef;
  readonly offer: TaskOffer;
}

export interface RoundFigures {
  /** CPU time of a task, in microseconds: accepted, assigned, begun and ended. */
  readonly cpu_us: number;
  /** Commands of callers and peers, per task. */
  readonly commands: number;
  /** Calls from cell to cell, per task. */
  readonly between: number;
}

/** A mesh of cells in this process, with many peers that take and finish tasks. */
export class CellLoad {
  readonly #mesh: CellMesh;
  readonly #count: number;
  readonly #running: Held[] = [];
  readonly #digests = new CellDigests();
  readonly #tasksOf: number[];
  #commands = 0;

  private constructor(mesh: CellMesh, count: number) {
    this.#mesh = mesh;
    this.#count = count;
    this.#tasksOf = Array.from({ length: count }, () => 0);
    mesh.offer = (to, offer) => void this.#running.push({ to, offer });
  }

  static async start(cells: number, peers: number): Promise<CellLoad> {
    const mesh = new CellMesh({ cells, config: { peersMax: peers, policy: DEFAULT_POLICY } });
    await mesh.call("get_auth_mode", {});
    await mesh.settle(2);
    return new CellLoad(mesh, cells);
  }

  /** Puts peers into the cells of their IDs. Returns how many each has. */
  addPeers(plan: PeerPlan): readonly number[] {
    const counts = Array.from({ length: this.#count }, () => 0);
    const { known } = this.#mesh;
    for (let cell = 0; cell < this.#count; cell++) this.#mesh.cellOf(cell);
    for (const batch of plan.batches()) {
      const homes = Map.groupBy(batch, (id) => homeOf(known, id));
      for (const [cell, ids] of homes) {
        fillCell(this.#mesh.cellOf(cell), ids, this.#mesh.now);
        counts[cell] = (counts[cell] ?? 0) + ids.length;
      }
    }
    return counts;
  }

  /** Runs so many tasks. Time goes on by a second, and each cell does what is due. */
  async round(tasks: number): Promise<RoundFigures> {
    this.#commands = 0;
    const { calls } = this.#mesh.transport;
    const before = sum(calls.values());
    const cpu = process.cpuUsage();
    for (let n = 0; n < tasks; n++) {
      await this.#submit();
      if (this.#running.length > RUNNING) await this.#finish(this.#running.shift() as Held);
    }
    this.#mesh.now += 1_000;
    for (const cell of this.#mesh.cells) await cell.tick();
    for (const { registry } of this.#mesh.cells) registry.measurements.flush();
    await this.#mesh.drain();
    const { user, system } = process.cpuUsage(cpu);
    const between = sum(calls.values()) - before;
    return {
      cpu_us: (user + system) / tasks,
      commands: this.#commands / tasks,
      between: between / tasks,
    };
  }

  /** Tasks that each cell has accepted. */
  get tasksOf(): readonly number[] {
    return this.#tasksOf;
  }

  /** Bytes of the databases. */
  get databaseBytes(): number {
    return sum(this.#mesh.cells.map(({ registry }) => registry.size()));
  }

  /** CPU time of one digest, in microseconds, the mean over the cells. */
  digestMicros(): number {
    const cpu = process.cpuUsage();
    for (const cell of this.#mesh.cells) digestOf(cell, this.#mesh.now);
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / this.#count;
  }

  async #submit(): Promise<void> {
    const { known: topology, now, random } = this.#mesh;
    const scope = { topology, now, random, digests: this.#digests };
    const [cell = 0] = this.#count === 1 ? [0] : betterOfTwo(scope, NEEDS);
    if (this.#count > 1) {
      this.#digests.sent(cell, TASK.kind, 1);
      // The time goes on by a second a round, so a digest is made once a round.
      if (this.#digests.isWanted(cell, now))
        this.#digests.learned(cell, digestOf(this.#mesh.cellOf(cell), now), now);
    }
    const input = { task: TASK, source: "api", owner: "admin", idempotency: null };
    const [answer] = await this.#ask(cell, "admin", [{ name: "enqueue_task", input }]);
    if (answer === undefined || !answer.ok) throw new Error(answer?.error.detail);
    const accepted = cellOfTask((answer.value as { readonly id: string }).id);
    this.#tasksOf[accepted] = (this.#tasksOf[accepted] ?? 0) + 1;
  }

  /** A peer accepts its task, and ends it later: two messages of its session. */
  async #finish({ to: { peerId, epoch }, offer: { task_id: taskId, fence } }: Held): Promise<void> {
    const cell = homeOf(this.#mesh.known, peerId);
    const actor = `peer:${peerId}`;
    const accepted = { peerId, epoch, taskId, fence, queued: false };
    await this.#ask(cell, actor, [{ name: "accept_task", input: accepted }]);
    const outcome = { task_id: taskId, fence, ok: true, result: "null" } as never;
    const input = { peerId, epoch, outcome };
    const [answer] = await this.#ask(cell, actor, [{ name: "finish_task", input }]);
    if (answer === undefined || !answer.ok) throw new Error(answer?.error.detail);
  }

  async #ask(
    cell: number,
    actor: string,
    commands: readonly SentCommand[],
  ): Promise<readonly CommandAnswer[]> {
    this.#commands++;
    const { node } = this.#mesh.cellOf(cell);
    const entered = await node.enter({ cell, topology: this.#mesh.known.version });
    if (entered !== null) throw new Error("the cell does not know the topology");
    return node.run(actor, commands);
  }
}

const NEEDS = { kind: TASK.kind, capabilities: [] };

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
