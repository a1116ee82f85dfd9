import * as fc from "fast-check";
import { expect } from "vitest";
import { checkAllTasks, checkHistory } from "./check-history.ts";
import type { Act } from "./history-acts.ts";
import { HistoryMesh } from "./history-mesh.ts";

/** Histories that one mesh goes through. Each begins with what the ones before have left. */
const OF_ONE_MESH = 40;

interface Histories {
  /** How many histories are checked at least. */
  readonly count: number;
  /** The numbers of cells that meshes begin with. */
  readonly cells: readonly number[];
  readonly history: fc.Arbitrary<readonly Act[]>;
}

/**
 * Runs random histories, and checks each at its end. A failure shows the seed of the mesh, its cells and all histories that it went
 * through; the smallest ones that fail have null for those that do not matter.
 */
export async function checkHistories({ count, cells, history }: Histories): Promise<void> {
  // Null is what a history that does not matter is shrunk to; by itself practically none is.
  const each = fc.option(history, { nil: null, freq: 1e9 });
  let checked = 0;
  const property = fc.asyncProperty(
    fc.integer(),
    fc.constantFrom(...cells),
    fc.array(each, { minLength: OF_ONE_MESH, maxLength: OF_ONE_MESH }),
    async (seed, cellsAtFirst, histories) => {
      const mesh = new HistoryMesh(seed, cellsAtFirst);
      await mesh.begin();
      for (const acts of histories) {
        if (acts === null) continue;
        await mesh.run(acts);
        await checkHistory(mesh);
        await mesh.renew();
        checked++;
      }
      await mesh.passHours();
      await checkAllTasks(mesh);
      mesh.mesh.end();
    },
  );
  await fc.assert(property, {
    numRuns: Math.ceil(count / OF_ONE_MESH),
    // What was found by then is shown before the test has no time left.
    interruptAfterTimeLimit: TIME_LIMIT,
    markInterruptAsFailure: true,
  });
  expect(checked).toBeGreaterThanOrEqual(count);
}

const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const TIME_LIMIT = 900_000 * Math.max(1, SCALE);

/** The number of histories at this scale, and how long they may take. */
export const scaled = (count: number): number => count * SCALE;
export const TIMEOUT = TIME_LIMIT + 60_000;
