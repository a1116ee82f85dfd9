import type { Topology } from "../src/cells/topology.ts";
import type { CellPorts } from "../src/coordinator/cells/cell-calls.ts";
import { CellNode } from "../src/coordinator/cells/cell-node.ts";
import { CellWatcher } from "../src/coordinator/cells/cell-watcher.ts";
import { OwnDigest } from "../src/coordinator/cells/digest.ts";
import { serveCall } from "../src/coordinator/cells/serve-call.ts";
import type { CoordinatorConfig } from "../src/coordinator/kernel/context.ts";
import { TaskMover } from "../src/coordinator/moves/task-mover.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { Registry } from "../src/registry/registry.ts";
import { enter, notLetIn } from "./cell-answers.ts";
import { callCell } from "./cell-calls.ts";
import type { Env } from "./env.ts";
import type { CellAnswer, CellTarget, RpcAnswer, RpcCommand } from "./rpc.ts";

interface OwnCellPorts {
  readonly env: Env;
  readonly registry: Registry;
  readonly config: CoordinatorConfig;
  /** Runs commands here, together with those that have gathered. */
  readonly run: (actor: string, commands: readonly RpcCommand[]) => Promise<readonly RpcAnswer[]>;
}

/** The object as one cell among others. */
export class OwnCell {
  readonly #ports: OwnCellPorts;
  readonly #node: CellNode;
  readonly #mover: TaskMover;
  readonly #watcher: CellWatcher;
  readonly #digest: OwnDigest;

  constructor(ports: OwnCellPorts) {
    const { env, registry, config, run } = ports;
    this.#ports = ports;
    const cell: CellPorts = {
      registry,
      now: () => Date.now(),
      run,
      call: (to, actor, commands) => callCell(env, to, actor, commands),
    };
    this.#node = new CellNode(cell);
    this.#watcher = new CellWatcher(cell);
    this.#mover = new TaskMover(cell, Math.random);
    this.#digest = new OwnDigest({ registry, config });
  }

  /** Moves queued tasks to cells where they can begin, if it is time to look. Never throws. */
  moveTasks(): Promise<void> {
    return this.#mover.run();
  }

  /** Looks whether other cells answer, if it is time to. Never throws. */
  watchCells(): Promise<void> {
    return this.#watcher.run();
  }

  /** Lets a call in, once the cell knows the topology that its caller knows. Null, or the answer. */
  async enter(to: CellTarget): Promise<CellAnswer | null> {
    const entered = await this.#enter(to);
    return entered === null ? null : notLetIn(entered);
  }

  /** Answers a caller's commands, once the cell knows the topology that the caller knows. */
  async execute(
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<CellAnswer> {
    const { alternative, digest = false } = to;
    const loadOf = (kind: string) => this.#digest.loadOf(kind, Date.now());
    const run = this.#node.run.bind(this.#node);
    const handOn = (id: string, other: number) =>
      this.#ports.run("mesh", [{ name: "hand_on_task", input: { id, to: other } }]);
    const cell = { enter: () => this.#enter(to), loadOf, run, handOn };
    const served = await serveCall(cell, { actor, commands, alternative });
    switch (served.type) {
      case "moved":
        return notLetIn(served.topology);
      case "refused":
        return notLetIn(served.error);
      case "elsewhere":
        return [{ elsewhere: served.load }, ...(digest && served.load ? [this.#read()] : [])];
      case "ran":
        if (digest) return [...served.answers, this.#read()];
        if (alternative === undefined) return served.answers;
        return [...served.answers, { load: loadOf(alternative.kind) }];
      default:
        return served satisfies never;
    }
  }

  #read() {
    return { digest: this.#digest.read(Date.now()) };
  }

  #enter(to: CellTarget): Promise<Topology | MusterError | null> {
    const { registry, config } = this.#ports;
    return enter(this.#node, { cells: registry.cells, configured: config.cells }, to);
  }

  /** Fetches a page of the peers of another cell that belong here. */
  pullPeers(cell: number): Promise<void> {
    return this.#node.pullPeers(cell);
  }
}
