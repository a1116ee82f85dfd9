import { digestOfKind, type CellDigest, type Load } from "../../../src/cells/cell-digest.ts";
import type { CellDigests } from "../../../src/routing/cell-digests.ts";
import type { FieldMesh } from "../../selection/field/field-mesh.ts";
import type { CellPolicies } from "./cell-fleet.ts";

/** A cell makes its digest anew after this time. */
const DIGEST_MS = 25;

interface CellLoadsOptions {
  readonly cells: number;
  /** Cells that accept no task. */
  readonly full?: ReadonlySet<number> | undefined;
}

/** What the peers and the queue of each cell have, and what a cell says about it. */
export class CellLoads {
  readonly #mesh: FieldMesh;
  readonly #policies: CellPolicies;
  readonly #options: CellLoadsOptions;
  /** Waiting tasks, by cell and kind. */
  readonly #waiting: readonly Int32Array[];
  readonly #made: ({ readonly at: number; readonly digest: CellDigest } | undefined)[] = [];

  constructor(mesh: FieldMesh, policies: CellPolicies, options: CellLoadsOptions) {
    this.#mesh = mesh;
    this.#policies = policies;
    this.#options = options;
    const { kinds } = mesh.world;
    this.#waiting = Array.from({ length: options.cells }, () => new Int32Array(kinds));
  }

  waitingIn = (cell: number, kind: number): number => this.#waiting[cell]?.[kind] ?? 0;

  hasWaiting = (cell: number): boolean => (this.#waiting[cell] ?? []).some((count) => count > 0);

  /** Counts tasks that begin to wait, or end to. */
  count(cell: number, kind: number, change: number): void {
    const waiting = this.#waiting[cell] as Int32Array;
    waiting[kind] = (waiting[kind] as number) + change;
  }

  /** What a cell has for a kind. Its answer brings that, or its digest. */
  askedBy(digests: CellDigests, cell: number, kind: number, now: number): Load {
    const name = `kind-${kind}`;
    const digest = this.#digestOf(cell, now);
    const load: Load = {
      ...digestOfKind(digest, name),
      waiting: this.waitingIn(cell, kind),
    };
    if (digests.isWanted(cell, now)) digests.learned(cell, digest, now);
    else digests.learnedKind(cell, { kind: name, ...load }, now);
    return load;
  }

  /** As `coordinator/cells/digest.ts` makes it. */
  #digestOf(cell: number, now: number): CellDigest {
    const made = this.#made[cell];
    if (made !== undefined && now < made.at + DIGEST_MS) return made.digest;
    const { kinds } = this.#mesh.world;
    const all = Array.from({ length: kinds }, (_, kind) => ({
      kind: `kind-${kind}`,
      ...this.#placesOf(cell, kind, now),
      waiting: this.waitingIn(cell, kind),
      meanMs: this.#policies.meanMsOf(cell, kind),
    }));
    const digest: CellDigest = {
      kinds: all,
      others: { peers: 0, slots: 0, free: 0, prefetched: 0, waiting: 0, meanMs: null },
      labels: [],
      full: this.#options.full?.has(cell) === true,
    };
    this.#made[cell] = { at: now, digest };
    return digest;
  }

  #placesOf(cell: number, kind: number, now: number): Omit<Load, "waiting" | "meanMs"> {
    const { resting: _resting, ...places } = this.handlersOf(cell, kind, now);
    return places;
  }

  handlersOf(cell: number, kind: number, now: number) {
    const { connected, held, world } = this.#mesh;
    const found = { peers: 0, slots: 0, free: 0, prefetched: 0, resting: 0 };
    for (const worker of this.#policies.ownOf[cell] ?? []) {
      if (connected[worker] === 0 || !this.#mesh.handles(worker, kind)) continue;
      const state = this.#policies.stateOf(worker, kind, now);
      if (state === "open" || state === "refusing") {
        found.resting++;
        continue;
      }
      // One that has rested is probed by one task at a time.
      const slots = state === "half_open" ? 1 : (world.slots[worker] as number);
      const left = slots - (held[worker] as number);
      found.peers++;
      found.slots += slots;
      found.free += Math.max(0, left);
      found.prefetched += state === "half_open" ? 0 : Math.max(0, -left);
    }
    return found;
  }
}
