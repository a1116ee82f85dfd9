import { isBetterElsewhere } from "../src/cells/cell-digest.ts";
import type { CellPorts } from "../src/coordinator/cells/cell-calls.ts";
import { CellNode } from "../src/coordinator/cells/cell-node.ts";
import { CellWatcher } from "../src/coordinator/cells/cell-watcher.ts";
import { OwnDigest } from "../src/coordinator/cells/digest.ts";
import type { CoordinatorConfig } from "../src/coordinator/kernel/context.ts";
import { TaskMover } from "../src/coordinator/moves/task-mover.ts";
import type { Registry } from "../src/registry/registry.ts";
import { enter } from "./cell-answers.ts";
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
  enter(to: CellTarget): Promise<CellAnswer | null> {
    const { registry, config } = this.#ports;
    return enter(this.#node, { cells: registry.cells, configured: config.cells }, to);
  }

  /** Answers a caller's commands, once the cell knows the topology that the caller knows. */
  async execute(
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<CellAnswer> {
    const { alternative } = to;
    const hasOther = alternative !== undefined && alternative.wait !== null;
    const entered = await this.enter(to);
    if (entered !== null) return hasOther && isRefusal(entered) ? [{ elsewhere: null }] : entered;
    if (hasOther) {
      const load = this.#digest.loadOf(alternative.kind, Date.now());
      if (isBetterElsewhere(load, alternative.wait))
        return [{ elsewhere: load }, ...this.#asked(to)];
    }
    const answers = await this.#node.run(actor, commands);
    if (to.digest === true) return [...answers, ...this.#asked(to)];
    if (alternative === undefined) return answers;
    return [...answers, { load: this.#digest.loadOf(alternative.kind, Date.now()) }];
  }

  /** The digest, if the caller asks for it. */
  #asked({ digest }: CellTarget): CellAnswer {
    return digest === true ? [{ digest: this.#digest.read(Date.now()) }] : [];
  }

  /** Fetches a page of the peers of another cell that belong here. */
  pullPeers(cell: number): Promise<void> {
    return this.#node.pullPeers(cell);
  }
}

/** Whether a cell does not let a call in, for another reason than a newer topology. */
const isRefusal = ([first]: CellAnswer): boolean => first !== undefined && !("moved" in first);
