import { describe, expect, test } from "vitest";
import { fieldOracle, plainCost } from "../../bench/selection/field/field-baselines.ts";
import { fieldFiguresOf } from "../../bench/selection/field/field-figures.ts";
import { NO_FEATURES } from "../../bench/selection/field/field-features.ts";
import { fieldMuster } from "../../bench/selection/field/field-muster.ts";
import { simulateField } from "../../bench/selection/field/field-simulation.ts";
import { FieldWorld, type FieldSettings } from "../../bench/selection/field/field-world.ts";
import { fieldWorlds, isTroubled } from "../../bench/selection/field/field-worlds.ts";
import { WORKERS } from "../../bench/selection/world.ts";
import { DEFAULT_POLICY } from "../../src/tasks/policy.ts";
import { TRACES } from "./traces.ts";

const SEED = 11;
const MUSTER = fieldMuster(DEFAULT_POLICY);
const WITHOUT = fieldMuster(DEFAULT_POLICY, NO_FEATURES);

const worldOf = (settings: Partial<FieldSettings>) =>
  new FieldWorld(TRACES, SEED, { load: 0.02, minutes: 3, ...settings });

describe("a world of the field", () => {
  test("ends every task once under every policy, and gives the same result again", () => {
    const world = worldOf({ kinds: 3, fails: ({ worker }) => (worker % 10 === 0 ? "late" : null) });
    for (const make of [MUSTER, WITHOUT, plainCost(20_000), fieldOracle]) {
      const run = simulateField(world, make);
      expect(run.latencies.every((ms) => ms > 0)).toBe(true);
      const successes = run.attempts.filter(({ end }) => end.outcome === "success");
      expect(new Set(successes.map(({ task }) => task)).size).toBe(successes.length);
      const failed = run.failed.filter((one) => one === 1).length;
      expect(successes.length + failed).toBe(world.tasks.count);
      expect(simulateField(world, make)).toEqual(run);
    }
  });

  test("loses no task to workers that fail at once, which circuits avoid", () => {
    const world = worldOf({
      load: { queued: 2_000 },
      fails: ({ worker }) => (isTroubled(SEED, worker) ? "at_once" : null),
    });
    const [careful, careless] = [MUSTER, WITHOUT].map((make) =>
      fieldFiguresOf(simulateField(world, make)),
    );
    expect(careful?.lost).toBeLessThan(0.2);
    expect(careful?.wasted).toBeLessThan((careless?.wasted ?? 0) / 2);
  });

  test("has no more than one probe at a time at a worker that always fails", () => {
    const world = worldOf({ fails: ({ worker }) => (worker === 3 ? "late" : null), load: 0.3 });
    const there = simulateField(world, MUSTER).attempts.filter(({ worker }) => worker === 3);
    for (const [i, { at }] of there.entries()) {
      if (i < 8) continue;
      expect(at).toBeGreaterThanOrEqual(there[i - 1]?.end.endsAt ?? 0);
    }
  });

  test("fails a task that fails everywhere after five attempts at different workers", () => {
    const world = worldOf({ fails: ({ task }) => (task === 0 ? "at_once" : null) });
    const attempts = simulateField(world, MUSTER).attempts.filter(({ task }) => task === 0);
    const begun = attempts.filter(({ end }) => end.outcome === "failure");
    expect(begun).toHaveLength(5);
    expect(new Set(begun.map(({ worker }) => worker)).size).toBe(5);
  });

  test("sends an announced kind only to workers that do it, and others refuse one that is not announced", () => {
    const rare: Partial<FieldSettings> = {
      kinds: 2,
      canDo: (worker, kind) => kind === 0 || worker % 9 === 0,
    };
    const refusals = [true, false].map(
      (announced) =>
        fieldFiguresOf(simulateField(worldOf({ ...rare, announced }), MUSTER)).refusals,
    );
    expect(refusals[0]).toBe(0);
    expect(refusals[1]).toBeGreaterThan(0);
  });

  test("runs the tasks of a serial worker one after another, whatever it announces", () => {
    const world = worldOf({ serialSlots: () => 64, load: 0.3 });
    const { attempts } = simulateField(world, WITHOUT);
    for (let worker = 0; worker < WORKERS; worker++) {
      const done = attempts
        .filter((one) => one.worker === worker && one.end.outcome === "success")
        .map(({ end }) => end.freeAt);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
    }
  });

  test("has the same tasks with and without its trouble", () => {
    const worlds = fieldWorlds(TRACES, SEED);
    const [with_, without] = [worlds.a, worlds["a-none"]].map(
      (settings) => new FieldWorld(TRACES, SEED, settings).tasks,
    );
    expect(with_).toEqual(without);
  });
});
