import type { Millis, Random } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { Alternative } from "../cells/cell-digest.ts";
import type { Topology } from "../cells/topology.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { CellDigests } from "./cell-digests.ts";

/** The cells of a mesh, as a caller of the HTTP API reaches them. */
export interface Network {
  readonly topology: Topology;
  /** The time of now, at each read. */
  readonly now: Millis;
  readonly random: Random;
  /** What the caller knows of the cells' load. Absent: nothing. */
  readonly digests?: CellDigests | undefined;
  /** Sends a cell one command. A cell that does not answer in time is an `unavailable` error. */
  readonly ask: <K extends GatewayCommandName>(
    cell: number,
    name: K,
    input: Input<K>,
  ) => Promise<Result<Output<K>, MusterError>>;
  /** The same for a task, or for several. What the cell says about its load is noted in `digests`. */
  readonly submit: <K extends SubmissionName>(
    cell: number,
    name: K,
    input: Input<K>,
    alternative: Alternative,
  ) => Promise<Submitted<Output<K>>>;
}

/** The commands that submit tasks. */
export type SubmissionName = "submit_task" | "enqueue_task" | "submit_batch";

/** The cell has not run the command, because the task would wait there for longer than in the other cell. */
export const ELSEWHERE = "elsewhere";

/** The cell has not run the command, because it does not know enough of the mesh yet. */
export const NOT_READY = "not_ready";

/** What became of a submission. */
export type Submitted<T> = Result<T, MusterError> | typeof ELSEWHERE | typeof NOT_READY;

/** How a command reaches the cells that it concerns, and how their answers become one. */
export type Route<K extends GatewayCommandName> = (
  network: Network,
  input: Input<K>,
) => Promise<Result<Output<K>, MusterError>>;

/** A cell knows a newer topology than its caller: the command has not run there, and the caller begins again. */
export class TopologyChanged extends Error {
  readonly topology: Topology;
  constructor(topology: Topology) {
    super(`the topology has version ${topology.version}`);
    this.topology = topology;
  }
}

/** How often a caller begins again: a topology changes when an operator changes it. */
const CHANGES_MAX = 3;

/** Runs what depends on the topology; again by the newer one, if a cell knows a newer one. */
export async function byTopology<T>(
  known: Topology,
  run: (topology: Topology) => Promise<T>,
  changed: (topology: Topology) => void,
): Promise<T> {
  let topology = known;
  for (let changes = 0; ; changes++) {
    try {
      return await run(topology);
    } catch (thrown) {
      if (!(thrown instanceof TopologyChanged) || changes === CHANGES_MAX) throw thrown;
      topology = thrown.topology;
      changed(topology);
    }
  }
}
