import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shareOfLimit } from "../../src/cells/limit-shares.ts";
import { bestCell, rankedCells } from "../../src/cells/rendezvous.ts";
import { cellOfTask, newTaskId } from "../../src/cells/task-cell.ts";
import {
  activeCells,
  CELLS_MAX,
  formerHomesOf,
  homeOf,
  isSingle,
  liveCells,
  SINGLE,
  withCells,
  withoutCell,
  type Topology,
} from "../../src/cells/topology.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { seededRandom } from "../random.ts";

const KEEP = 1_000;
const grown = (cells: number): Topology => withCells(SINGLE, cells, 0, KEEP);
const KEYS = Array.from({ length: 4_000 }, (_, n) => `key ${n}`);

describe("rendezvous hashing", () => {
  it("CE1 spreads keys evenly: no cell of 16 has a quarter more or less than its share", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    const keys = Array.from({ length: 16_000 }, (_, n) => `peer ${n}`);
    for (const key of keys) (counts[homeOf(grown(16), key)] as number) += 1;
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(250);
  });

  it("CE1 growing moves keys to the new cells only, and draining moves the keys of the drained cell only", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (few, more) => {
        const [before, after] = [grown(few), grown(few + more)];
        const moved = KEYS.filter((key) => homeOf(before, key) !== homeOf(after, key));
        for (const key of moved) expect(homeOf(after, key)).toBeGreaterThanOrEqual(few);
        const share = more / (few + more);
        expect(Math.abs(moved.length / KEYS.length - share)).toBeLessThan(0.06);
      }),
      { numRuns: 20 },
    );
  });

  it("ranks every cell, the home first", () => {
    const cells = activeCells(grown(9));
    for (const key of KEYS.slice(0, 200)) {
      const ranked = rankedCells(cells, key);
      expect(ranked[0]).toBe(bestCell(cells, key));
      expect(ranked.toSorted((a, b) => a - b)).toEqual(cells);
    }
  });
});

describe("a topology", () => {
  it("CE2 that was never changed is stored nowhere, and everything belongs to cell 0", () => {
    expect(isSingle(withCells(SINGLE, 1, 0, KEEP))).toBe(true);
    for (const key of KEYS.slice(0, 10)) expect(homeOf(SINGLE, key)).toBe(0);
  });

  it("CE3 changes its version with every change, drains what is above the number, and remembers where keys were", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 8 }), (numbers) => {
        let topology = SINGLE;
        const homes = new Map<string, Set<number>>(
          KEYS.slice(0, 30).map((key) => [key, new Set()]),
        );
        for (const [at, wanted] of numbers.entries()) {
          for (const [key, seen] of homes) seen.add(homeOf(topology, key));
          const next = withCells(topology, wanted, at, KEEP);
          expect(activeCells(next)).toEqual(Array.from({ length: wanted }, (_, cell) => cell));
          expect(liveCells(next)[0]).toBe(0);
          if (next !== topology) expect(next.version).toBe(topology.version + 1);
          topology = next;
        }
        for (const [key, seen] of homes) {
          seen.delete(homeOf(topology, key));
          expect(new Set(formerHomesOf(topology, key, numbers.length))).toEqual(seen);
          expect(formerHomesOf(topology, key, 10 * KEEP)).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("CE3 a drained cell is removed, and can become active again; an active one is not removed", () => {
    const draining = withCells(grown(3), 2, 0, KEEP);
    expect(draining.cells).toEqual(["active", "active", "draining"]);
    expect(withoutCell(draining, 1, 0, KEEP)).toBe(draining);
    const removed = withoutCell(draining, 2, 0, KEEP);
    expect([removed.cells[2], removed.version]).toEqual(["removed", draining.version + 1]);
    expect(withCells(removed, 3, 0, KEEP).cells[2]).toBe("active");
  });
});

describe("task IDs", () => {
  it("CE4 are UUIDs that name their cell; those of cell 0 are random", () => {
    const random = seededRandom(5);
    for (let cell = 0; cell < CELLS_MAX; cell++) {
      const id = newTaskId(random, cell);
      expect(Uuid.safeParse(id).error).toBeUndefined();
      expect([cellOfTask(id), cellOfTask(id.toUpperCase())]).toEqual([cell, cell]);
      expect(id[14]).toBe(cell === 0 ? "4" : "8");
    }
  });

  it("CE4 that no cell has made lead to a cell that exists", () => {
    fc.assert(
      fc.property(fc.uuid({ version: [4, 8] }), (id) => {
        expect(cellOfTask(id)).toBeLessThan(CELLS_MAX);
      }),
    );
  });
});

describe("limits that cells share", () => {
  it("CE5 have shares that sum to the limit, for every number of cells", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: CELLS_MAX }),
        fc.integer({ min: 0, max: 500 }),
        fc.string(),
        (cells, limit, key) => {
          const shares = Array.from({ length: cells }, (_, cell) =>
            shareOfLimit(grown(cells), cell, { key, limit }),
          );
          expect(shares.reduce((sum, share) => sum + share, 0)).toBe(limit);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        },
      ),
    );
    expect(shareOfLimit(withCells(grown(3), 2, 0, KEEP), 2, { key: "", limit: 9 })).toBe(0);
  });
});
