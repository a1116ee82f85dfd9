import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR } from "../../../src/base/clock.ts";
import { HistoryRunner } from "../history-runner.ts";
import { isEnded, type ModelTask } from "../model-task.ts";
import { anyHistory } from "../operations.ts";

/** Factor for the number of histories: 1 in everyday runs, more in long runs. */
const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);
const OPTIONS = { timeout: 300_000 * Math.max(1, SCALE) };

const anySeed = fc.integer({ min: 1, max: 1e9 });

/** Runs random histories, each on a new coordinator, and calls `then` after each. */
const afterAnyHistory = (
  numRuns: number,
  maxLength: number,
  then: (history: HistoryRunner) => void,
) =>
  fc.assert(
    fc.property(anySeed, anyHistory(maxLength), (seed, operations) => {
      const history = new HistoryRunner(seed);
      for (const operation of operations) history.step(operation);
      then(history);
    }),
    { numRuns: Math.ceil(numRuns * SCALE) },
  );

describe("random histories of commands, late and repeated answers, restarts and passing time", () => {
  test("AS10 no task is lost, committed twice or stuck after any history", OPTIONS, () => {
    fc.assert(
      fc.property(anySeed, anyHistory(20), (seed, operations) => {
        const history = new HistoryRunner(seed);
        for (const operation of operations) history.stepWithoutComparing(operation);
        history.compareState();
        // After all deadlines every task must have ended exactly once.
        history.stepWithoutComparing({ type: "pass", ms: 3 * HOUR });
        history.stepWithoutComparing({ type: "tick" });
        history.compareState();
        const { tasks } = history.model;
        for (const task of tasks.values()) if (!isEnded(task)) expect(task).toBeNull();
        for (const [id, ends] of history.endCounts) {
          const expected = 1 + (tasks.get(id)?.retries ?? 0);
          if (ends !== expected) expect([id, ends]).toEqual([id, expected]);
        }
        if (history.endCounts.size !== tasks.size) expect(history.endCounts.size).toBe(tasks.size);
      }),
      { numRuns: Math.ceil(1_400 * SCALE) },
    );
  });

  test(
    "GC3 the alarm never rings later than the next due time, after every step of any history",
    OPTIONS,
    () => {
      fc.assert(
        fc.property(anySeed, anyHistory(30), (seed, operations) => {
          const history = new HistoryRunner(seed);
          for (const operation of operations) {
            history.stepWithoutComparing(operation);
            history.mesh.nextTick(); // throws if the alarm would ring too late
          }
        }),
        { numRuns: Math.ceil(300 * SCALE) },
      );
    },
  );

  test(
    "AS14 peers, tasks, attempts and leases equal the model after every step of any history",
    OPTIONS,
    () => {
      afterAnyHistory(100, 60, () => {});
    },
  );

  test(
    "AS1 every accepted task ends after any history, once there are healthy peers and time passes",
    OPTIONS,
    () => {
      afterAnyHistory(100, 40, (history) => {
        const { model, mesh } = history;
        const open = () => [...model.tasks.values()].filter((task) => !isEnded(task));
        const runnable = ({ requiredPeer }: ModelTask) =>
          [...model.peers.values()].some(
            ({ id, state, role }) =>
              state === "active" &&
              role !== "controller" &&
              (requiredPeer === undefined || requiredPeer === id),
          );
        history.healAllPeers();
        expect(open().filter(runnable)).toEqual([]);
        history.step({ type: "pass", ms: 3 * HOUR });
        history.step({ type: "tick" });
        expect(open()).toEqual([]);
        expect(mesh.registry.tasks.nextDue(mesh.now)).toBeNull();
      });
    },
  );
});
