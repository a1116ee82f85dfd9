import { CellNode } from "../src/coordinator/cells/cell-node.ts";
import { OwnDigest } from "../src/coordinator/cells/digest.ts";
import type { CoordinatorConfig } from "../src/coordinator/kernel/context.ts";
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
  readonly #digest: OwnDigest;

  constructor(ports: OwnCellPorts) {
    const { env, registry, config, run } = ports;
    this.#ports = ports;
    this.#node = new CellNode({
      registry,
      now: () => Date.now(),
      run,
      call: (cell, actor, commands) => callCell(env, cell, actor, commands),
    });
    this.#digest = new OwnDigest({ registry, config });
  }

  /** Answers a caller's commands, once the cell knows the topology that the caller knows. */
  async execute(
    actor: string,
    commands: readonly RpcCommand[],
    to: CellTarget,
  ): Promise<CellAnswer> {
    const { registry, config } = this.#ports;
    const cells = { cells: registry.cells, configured: config.cells };
    const entered = await enter(this.#node, cells, to);
    if (entered !== null) return entered;
    const answers = await this.#node.run(actor, commands);
    return to.digest === true ? [...answers, { digest: this.#digest.read(Date.now()) }] : answers;
  }

  /** Fetches a page of the peers of another cell that belong here. */
  pullPeers(cell: number): Promise<void> {
    return this.#node.pullPeers(cell);
  }
}
