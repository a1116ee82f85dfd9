import type { CellPorts } from "./cell-calls.ts";
import { cellsToWatch } from "./watch-cells.ts";

/** Looks whether other cells answer. One look at a time; it never throws. */
export class CellWatcher {
  readonly #ports: CellPorts;
  #looking: Promise<void> | null = null;

  constructor(ports: CellPorts) {
    this.#ports = ports;
  }

  /** Looks, if it is time to. */
  run(): Promise<void> {
    const { cells, silentCells } = this.#ports.registry;
    if (cells.isSingle || this.#looking !== null || !silentCells.begins())
      return this.#looking ?? Promise.resolve();
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { registry, now, run } = this.#ports;
    const known = [...registry.silentCells.all().keys()];
    const silent = new Set(known);
    const asked = new Set<number>();
    for (;;) {
      const next = cellsToWatch(registry, (cell) => silent.has(cell), now()).filter(
        (cell) => !asked.has(cell),
      );
      if (next.length === 0) break;
      await Promise.all(
        next.map(async (cell) => {
          asked.add(cell);
          if (await this.#answers(cell)) silent.delete(cell);
          else silent.add(cell);
        }),
      );
    }
    const found = [...silent].filter((cell) => asked.has(cell)).toSorted((a, b) => a - b);
    if (found.join() === known.join()) return;
    await run("mesh", [{ name: "note_cells", input: { silent: found } }]);
  }

  async #answers(cell: number): Promise<boolean> {
    const { registry, call } = this.#ports;
    const [answer] = await call(cell, `cell:${registry.cells.own}`, [
      { name: "get_topology", input: {} },
    ]);
    return answer?.ok === true;
  }
}
