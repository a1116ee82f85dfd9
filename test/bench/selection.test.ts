import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventQueue } from "../../bench/selection/event-queue.ts";
import { muster } from "../../bench/selection/muster.ts";
import { goP2p, oracle, random, roundRobin } from "../../bench/selection/rankings.ts";
import { simulateSharedCores } from "../../bench/selection/shared-cores.ts";
import { simulate } from "../../bench/selection/simulate.ts";
import { DURATION_MS, World } from "../../bench/selection/world.ts";
import { DEFAULT_POLICY, type ExpectedCost } from "../../src/tasks/policy.ts";
import { TRACES } from "./traces.ts";

const LOAD = 0.01;

describe("a simulated world", () => {
  test("depends on its seed only", () => {
    const [one, same, other] = [11, 11, 12].map((seed) => new World(TRACES, seed, LOAD));
    expect(same?.workers).toEqual(one?.workers);
    expect(same?.tasks).toEqual(one?.tasks);
    expect(other?.workers).not.toEqual(one?.workers);
  });

  test("has ordered outages, each noticed within 40 s or at the reconnection", () => {
    for (const { outages } of new World(TRACES, 11, LOAD).workers) {
      for (const [i, { from, noticedAt: seen, to }] of outages.entries()) {
        expect(seen).toBeLessThanOrEqual(to);
        expect(from).toBeLessThanOrEqual(seen);
        if (from >= 0)
          expect(seen === to || (seen >= from + 10_000 && seen <= from + 40_000)).toBe(true);
        expect(outages[i + 1]?.from ?? DURATION_MS).toBeGreaterThanOrEqual(
          Math.min(to, DURATION_MS),
        );
      }
    }
  });
});

describe("a simulated run", () => {
  const world = new World(TRACES, 11, LOAD);

  test("ends every task under every policy, and gives the same result again", () => {
    for (const make of [random, roundRobin, goP2p, muster(DEFAULT_POLICY), oracle]) {
      const run = simulate(world, make);
      expect(run.latencies.every((ms) => ms > 0 && ms <= DURATION_MS)).toBe(true);
      expect(run.attempts).toBeGreaterThanOrEqual(world.tasks.count - run.failedTasks);
      expect(run.failedAttempts).toBeGreaterThanOrEqual(run.lostAttempts);
      expect(simulate(world, make)).toEqual(run);
    }
  });

  test("has fewer failed attempts with the default policy than with the random one, and none with the oracle", () => {
    const failed = [random, muster(DEFAULT_POLICY), oracle].map((make) => {
      const { failedAttempts, attempts } = simulate(world, make);
      return failedAttempts / attempts;
    });
    expect(failed).toEqual(failed.toSorted((a, b) => b - a));
    expect(failed[2]).toBe(0);
  });
});

describe("the event queue", () => {
  test("returns events by time, and events with equal times in insertion order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 3_000 }), (times) => {
        const queue = new EventQueue();
        for (const [event, time] of times.entries()) queue.push(time, event);
        const order = times
          .map((_, event) => event)
          .toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
        for (const event of order) {
          expect(queue.next()).toBe(times[event]);
          expect(queue.pop()).toBe(event);
        }
        expect(queue.next()).toBe(Infinity);
      }),
    );
  });
});

describe("a simulated run in which the tasks of a worker share its cores", () => {
  const world = new World(TRACES, 11, 5 * LOAD, 4);

  test("ends every task, and gives the same result again", () => {
    const run = simulateSharedCores(world, muster(DEFAULT_POLICY));
    expect(run.latencies.every((ms) => ms > 0 && ms <= DURATION_MS)).toBe(true);
    expect(run.attempts).toBeGreaterThanOrEqual(world.tasks.count);
    expect(simulateSharedCores(world, muster(DEFAULT_POLICY))).toEqual(run);
  });

  test("is as slow as the work of a task and its round trip when a worker runs nothing else", () => {
    const single = new World(TRACES, 11, LOAD / 50, 4);
    const { latencies, failedAttempts } = simulateSharedCores(single, roundRobin);
    const slowest = Math.max(...single.workers.map(({ slowness }) => slowness));
    expect(failedAttempts).toBeLessThan(latencies.length / 2);
    const within = latencies.filter(
      (ms, task) => ms <= (single.tasks.sizeMs[task] ?? 0) * slowest + 205,
    );
    expect(within.length).toBeGreaterThan(0.8 * latencies.length);
  });

  test("ends sooner when the load is spread over comparable peers", () => {
    const meanOf = (policy: ExpectedCost) =>
      simulateSharedCores(world, muster(policy)).latencies.reduce((sum, ms) => sum + ms, 0);
    expect(meanOf(DEFAULT_POLICY)).toBeLessThan(
      0.9 * meanOf({ ...DEFAULT_POLICY, loadSpreading: null }),
    );
  });
});
