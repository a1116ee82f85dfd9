import type { DiscoveryStore } from "../../src/discovery/store.ts";
import type { Random, RandomBytes } from "../../src/base/clock.ts";
import { err } from "../../src/base/result.ts";
import type { CommandAnswer, SentCommand } from "../../src/contract/commands.ts";
import type { CellPorts } from "../../src/coordinator/cells/cell-calls.ts";
import { CellNode } from "../../src/coordinator/cells/cell-node.ts";
import { CellWatcher } from "../../src/coordinator/cells/cell-watcher.ts";
import { DueTimes } from "../../src/coordinator/kernel/due-times.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import type { Effect } from "../../src/coordinator/kernel/effects.ts";
import {
  executeGroup,
  executeRead,
  type Executed,
  type GroupedCommand,
} from "../../src/coordinator/kernel/execute.ts";
import { TaskMover } from "../../src/coordinator/moves/task-mover.ts";
import {
  CELL_DELIVERIES,
  OutboxRunner,
  OWN_DELIVERIES,
  type OutboxPorts,
} from "../../src/coordinator/outbox/runner.ts";
import { isReadCommand } from "../../src/contract/read-commands.ts";
import { isEndAwaited, type EndFault, type SessionRef } from "../../src/peers/session-orders.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import { giveBackSql, takeSql } from "../coordinator/shared-sql.ts";

/** What a cell needs of its mesh. */
export interface CellSurroundings {
  readonly now: number;
  readonly config: CoordinatorConfig;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  readonly store: DiscoveryStore;
  /** Whether records of peers are sealed and stored, which takes longer than most histories. */
  readonly publishes: boolean;
  readonly effects: Effect[];
  callBetween(
    to: number,
    actor: string,
    commands: readonly SentCommand[],
  ): Promise<readonly CommandAnswer[]>;
  offer(to: SessionRef, offer: TaskOffer): void;
  cancel(to: SessionRef, taskId: string, fence: number): void;
  endSession(to: SessionRef, fault: EndFault): void;
}

const UNCONFIRMED = { code: "revoke_unconfirmed", detail: "not confirmed" } as const;
/** What a mesh delivers itself that does not publish. */
const UNPUBLISHED = { ...OWN_DELIVERIES, kinds: ["end_session", "probe"] as const };

const CRASHED = { code: "unavailable", detail: "the cell has crashed" } as const;

/** One cell: a real coordinator with a database in memory, whose calls of others go through the transport of the mesh. */
export class TestCell {
  readonly number: number;
  readonly #mesh: CellSurroundings;
  readonly #sql;
  registry: Registry;
  node: CellNode;
  #outbox!: OutboxRunner;
  /** Calls of other cells. */
  #calls!: OutboxRunner;
  #mover!: TaskMover;
  #watcher!: CellWatcher;
  #dueTimes = new DueTimes();
  /** Grows with each crash: what a cell of before still wants to do is not done. */
  #life = 0;

  constructor(mesh: CellSurroundings, number: number) {
    this.#mesh = mesh;
    this.number = number;
    this.#sql = takeSql();
    [this.registry, this.node] = this.#start();
  }

  /** The cell's memory is lost, its database stays. Work in progress ends. */
  crash(): void {
    this.#life++;
    this.#dueTimes = new DueTimes();
    [this.registry, this.node] = this.#start();
  }

  /** Nobody uses the cell any more, and nothing in it goes on. */
  end(): void {
    giveBackSql(this.#sql);
  }

  /** Runs commands here, as one group. */
  async run(actor: string, commands: readonly SentCommand[]): Promise<readonly CommandAnswer[]> {
    const [first] = commands;
    if (first !== undefined && commands.length === 1 && isReadCommand(first.name))
      return [executeRead({ ...this.#scope, actor }, first.name, first.input as never)];
    const group = commands.map((command) => ({ ...command, actor }) as GroupedCommand);
    const { executed, effects } = executeGroup(this.#scope, group);
    const life = this.#life;
    const answers = executed.map(async ({ result, effects: own }) => {
      const confirmed = await Promise.all(this.#perform(own, life));
      return confirmed.every(Boolean) ? result : err(UNCONFIRMED);
    });
    void Promise.all(this.#perform(effects, life));
    return Promise.all(answers);
  }

  /** Runs a command of the mesh itself. */
  #runNow(name: string, input: object): Executed<never>["result"] {
    const command = { name, input, actor: "mesh" } as unknown as GroupedCommand;
    const { executed, effects } = executeGroup(this.#scope, [command]);
    const [only] = executed;
    void Promise.all(this.#perform([...(only?.effects ?? []), ...effects], this.#life));
    return only?.result as Executed<never>["result"];
  }

  /** What the alarm does. */
  async tick(): Promise<void> {
    this.#runNow("tick", {});
    this.#dueTimes.forget();
    await Promise.all([this.#deliver(), this.#mover.run(), this.#watcher.run()]);
  }

  /** When the alarm rings next. */
  nextTick(): number | null {
    if (!this.#mesh.publishes) this.registry.outbox.removeAll(["publish"]);
    return this.#dueTimes.next({
      registry: this.registry,
      config: this.config,
      now: this.#mesh.now,
    });
  }

  rows = (query: string) => this.#sql.exec(query);

  /** The numbers of the last messages to and from a cell. */
  links(cell: number) {
    const [row] = this.rows(`SELECT sent, received FROM cell_links WHERE cell = ${cell}`);
    return { sent: Number(row?.["sent"] ?? 0), received: Number(row?.["received"] ?? 0) };
  }

  get config(): CoordinatorConfig {
    return this.#mesh.config;
  }

  get #scope() {
    const { now, random, randomBytes } = this.#mesh;
    return { registry: this.registry, config: this.config, now, random, randomBytes };
  }

  async #deliver(): Promise<void> {
    await Promise.all([this.#outbox.run(), this.#calls.run()]);
  }

  #start(): [Registry, CellNode] {
    const registry = openRegistry(this.#sql);
    const mesh = this.#mesh;
    const life = this.#life;
    const ports: CellPorts = {
      registry,
      now: () => mesh.now,
      run: async (actor, commands) =>
        life === this.#life ? this.run(actor, commands) : commands.map(() => err(CRASHED)),
      call: (cell, actor, commands) => mesh.callBetween(cell, actor, commands),
    };
    const node = new CellNode(ports);
    this.#mover = new TaskMover(ports, mesh.random);
    this.#watcher = new CellWatcher(ports);
    const deliveries: OutboxPorts = {
      registry,
      store: mesh.store,
      replicas: null,
      randomBytes: mesh.randomBytes,
      now: () => mesh.now,
      endSession: async (to, fault) => mesh.endSession(to, fault),
      probe: async () => {},
      pullPeers: (cell) => node.pullPeers(cell),
      sendToCell: async (cell, { from, messages }) => {
        const input = { from, messages };
        const [taken] = await mesh.callBetween(cell, `cell:${from}`, [
          { name: "receive_messages", input },
        ]);
        if (taken?.ok !== true || life !== this.#life) throw new Error("not taken");
        return (taken.value as { upTo: number }).upTo;
      },
      execute: (name, input) => this.#runNow(name, input),
      onFailure: () => {},
    };
    this.#outbox = new OutboxRunner(deliveries, mesh.publishes ? OWN_DELIVERIES : UNPUBLISHED);
    this.#calls = new OutboxRunner(deliveries, CELL_DELIVERIES);
    return [registry, node];
  }

  /** Performs effects; returns those that the caller waits for. */
  #perform(effects: readonly Effect[], life: number): readonly Promise<boolean>[] {
    const awaited: Promise<boolean>[] = [];
    for (const effect of effects) {
      const done = this.#performOne(effect, life);
      if (effect.type === "await_cell") awaited.push(done);
      if (effect.type === "end_session" && isEndAwaited(effect.fault)) awaited.push(done);
    }
    return awaited;
  }

  async #performOne(effect: Effect, life: number): Promise<boolean> {
    if (life !== this.#life) return false;
    switch (effect.type) {
      case "offer":
        this.#mesh.offer(effect.to, effect.offer);
        return true;
      case "cancel":
        this.#mesh.cancel(effect.to, effect.taskId, effect.fence);
        return true;
      case "end_session":
        this.#mesh.endSession(effect.to, effect.fault);
        this.#runNow("session_ended", { to: effect.to, fault: effect.fault });
        return true;
      case "await_cell": {
        const isTaken = () => !this.registry.cellMessages.waits(effect.cell, effect.seq);
        await this.#calls.runUntil(isTaken);
        return !effect.isRequired || isTaken();
      }
      case "drain_outbox":
        await this.#deliver();
        return true;
      case "dial":
      case "drain":
      case "drain_callbacks":
      case "log":
      case "recall":
      case "report":
      case "task_ended":
      case "task_moved":
        this.#mesh.effects.push(effect);
        return true;
      default:
        effect satisfies never;
        return true;
    }
  }
}
