import type { CellMesh } from "./cell-mesh.ts";
import { turn } from "./transport.ts";

/** Acts of a history whose calls wait in the transport: each goes on while others begin. */
export class HeldActs {
  readonly #mesh: CellMesh;
  readonly #stepsMax: number;
  readonly #underWay = new Set<Promise<unknown>>();

  /** @param stepsMax fewer calls than this arrive after each act */
  constructor(mesh: CellMesh, stepsMax: number) {
    this.#mesh = mesh;
    this.#stepsMax = stepsMax;
  }

  /** Takes up an act that has begun, and lets some calls arrive. What it throws is no matter: calls are lost. */
  async begun(act: Promise<unknown>): Promise<void> {
    const held = act.catch(() => {});
    this.#underWay.add(held);
    void held.finally(() => this.#underWay.delete(held));
    await turn();
    const { random, transport } = this.#mesh;
    for (let steps = Math.floor(random() * this.#stepsMax); steps > 0; steps--) {
      transport.step();
      await turn();
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
