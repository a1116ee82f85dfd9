import * as fc from "fast-check";
import { expect } from "vitest";
import { CELLS, KEYS, PEERS, TASK_FORMS, TaskHistory, type Act } from "./task-history.ts";

const peer = fc.nat({ max: PEERS - 1 });
const nth = fc.nat({ max: 5 });
const cell = fc.nat({ max: CELLS - 1 });
const key = fc.option(fc.nat({ max: KEYS - 1 }));
const task = fc.nat({ max: TASK_FORMS - 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("submit"), key, task }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("join"), peer }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom("accept", "finish", "refuse", "fail"), peer }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("leave", "revoke"), peer }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("cancel", "retry"), nth }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("crash", "down", "up"), cell }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("wait"), seconds: fc.constantFrom(1, 2, 6, 20) }),
  },
);

/** Runs so many random histories, and checks each. */
export async function checkTaskHistories(numRuns: number, length: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(act, { minLength: 2, maxLength: length }),
      async (seed, acts) => {
        const history = new TaskHistory(seed);
        await history.begin();
        for (const one of acts) await history.act(one);
        await history.end();
        await checkTasks(history);
        checkCells(history);
      },
    ),
    { numRuns },
  );
}

/** 0 lost, 0 committed twice, 0 delivered after a revocation, and one task for each key. */
async function checkTasks(history: TaskHistory): Promise<void> {
  const { mesh, accepted, committed, revoked, cancelled } = history;
  const byKey = new Map<number, Set<string>>();
  for (const [id, submitted] of accepted) {
    const places = history.placesOf(id);
    expect(places).toHaveLength(1);
    const [only] = places;
    expect(["succeeded", "failed", "cancelled"]).toContain(only?.state);
    // One that was cancelled may have been retried.
    if (only?.state === "cancelled")
      expect(cancelled.has(id) || mayBeCancelled(history)).toBe(true);
    const shown = await mesh.call("get_task", { id, visibleTo: null });
    expect(shown.ok && shown.value.state).toBe(only?.state);
    if (submitted !== null) byKey.set(submitted, (byKey.get(submitted) ?? new Set()).add(id));
  }
  for (const ids of byKey.values()) expect(ids.size).toBe(1);
  for (const fences of committed.values()) expect(fences.size).toBe(1);
  for (const [index, offers] of revoked) expect(history.offersOf(index)).toBe(offers);
  expect(history.mostAtOnce).toBeLessThanOrEqual(1);
}

/** The answer to a cancellation may have been lost. */
const mayBeCancelled = ({ mesh }: TaskHistory): boolean =>
  (mesh.transport.calls.get("cancel_task") ?? 0) > 0;

/** What cells have in memory is what their rows say, and nothing is left of what has moved. */
function checkCells({ mesh }: TaskHistory): void {
  const seen = new Set<string>();
  for (const { registry, rows } of mesh.cells) {
    const count = (query: string): number => Number(rows(query)[0]?.["n"]);
    const { tasks, taskForwards } = registry;
    expect(tasks.waiting.length).toBe(
      count(`SELECT COUNT(*) AS n FROM tasks WHERE state = 'queued'`),
    );
    expect(tasks.ownerBytes.openOwners()).toEqual([]);
    expect([...tasks.running.all()]).toEqual([]);
    expect(taskForwards.permitsOf("admin", "one")).toBe(0);
    for (const table of ["attempts", "task_arrivals"])
      expect(
        count(`SELECT COUNT(*) AS n FROM ${table} WHERE task_id NOT IN (SELECT id FROM tasks)`),
      ).toBe(0);
    expect(
      count(`SELECT COUNT(*) AS n FROM task_forwards WHERE task_id IN (SELECT id FROM tasks)`),
    ).toBe(0);
    for (const { id } of rows(`SELECT id FROM tasks`)) {
      expect(seen.has(String(id))).toBe(false);
      seen.add(String(id));
    }
  }
}
