import { createHash } from "node:crypto";
import { homeOf, withCells, SINGLE, type Topology } from "../../../src/cells/topology.ts";
import type { CircuitState } from "../../../src/tasks/circuit.ts";
import { DEFAULT_POLICY } from "../../../src/tasks/policy.ts";
import { ALL_FEATURES } from "../../selection/field/field-features.ts";
import { FieldMuster } from "../../selection/field/field-muster.ts";
import type {
  AttemptEnd,
  FieldMesh,
  FieldPolicy,
  FieldTask,
} from "../../selection/field/field-mesh.ts";

export const topologyOf = (cells: number): Topology => withCells(SINGLE, cells, 0, 1);

/** The ID of a worker. */
const peerIdOf = (worker: number): string =>
  createHash("sha256").update(`worker ${worker}`).digest("hex").slice(0, 32);

/** The cell of each worker of a fleet, by rendezvous hash of its ID. */
export const homesOf = (topology: Topology, workers: number): readonly number[] =>
  Array.from({ length: workers }, (_, worker) => homeOf(topology, peerIdOf(worker)));

/** Times in which a cell does not answer. */
export interface CellOutage {
  readonly cell: number;
  readonly from: number;
  readonly to: number;
}

/** A coordinator for each cell, which chooses among the peers of its cell and knows only what they did. */
export class CellPolicies implements FieldPolicy {
  readonly homes: readonly number[];
  readonly ownOf: readonly (readonly number[])[];
  readonly #cells: readonly FieldMuster[];

  constructor(mesh: FieldMesh, cells: number) {
    const { length } = mesh.world.workers;
    this.homes = homesOf(topologyOf(cells), length);
    const own: number[][] = Array.from({ length: cells }, () => []);
    for (const [worker, cell] of this.homes.entries()) own[cell]?.push(worker);
    this.ownOf = own;
    this.#cells = own.map(
      (workers) => new FieldMuster(mesh, DEFAULT_POLICY, ALL_FEATURES, workers),
    );
  }

  pick = (task: FieldTask, now: number, cell: number): number =>
    (this.#cells[cell] as FieldMuster).pick(task, now);

  ended = (task: FieldTask, worker: number, end: AttemptEnd, now: number): number | null =>
    (this.#cells[this.homes[worker] ?? 0] as FieldMuster).ended(task, worker, end, now);

  stateOf = (worker: number, kind: number, now: number): CircuitState =>
    this.#cells[this.homes[worker] ?? 0]?.stateOf(worker, kind, now) ?? "closed";

  meanMsOf = (cell: number, kind: number): number | null =>
    this.#cells[cell]?.meanMsOf(kind) ?? null;
}
