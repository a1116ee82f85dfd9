import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Task } from "../../src/tasks/task.ts";
import { aTask } from "../contracts/records.ts";
import { nodeSql } from "../node-sql.ts";
import { SCALE } from "../session/arbitraries.ts";

const NOW = 1_000;
const IDS = ["a", "b", "c", "d", "e"];
const KINDS = ["echo", "resize"];
const OWNERS = ["m", "n", "o"];

/** How a task is written: queued, paused, offered, prefetched, running or ended. */
const anyWrite = fc.record({
  id: fc.constantFrom(...IDS),
  as: fc.constantFrom("queued", "paused", "offered", "prefetched", "running", "ended"),
  peerId: fc.constantFrom("p", "q"),
});
type Write = typeof anyWrite extends fc.Arbitrary<infer W> ? W : never;

type Step =
  | { readonly at: "write"; readonly write: Write }
  | { readonly at: "look" | "hand_over" | "wake" }
  | { readonly at: "transaction"; readonly steps: readonly Step[]; readonly fails: boolean };

const { step: anyStep } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 6, arbitrary: fc.record({ at: fc.constant("write" as const), write: anyWrite }) },
    { weight: 3, arbitrary: fc.constant<Step>({ at: "look" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ at: "hand_over" }) },
    { weight: 1, arbitrary: fc.constant<Step>({ at: "wake" }) },
    {
      weight: 4,
      arbitrary: fc.record({
        at: fc.constant("transaction" as const),
        steps: fc.array(tie("step"), { maxLength: 5 }),
        fails: fc.boolean(),
      }),
    },
  ),
}));

function written({ as, peerId }: Write): Partial<Task> {
  const held = { state: "leased", leaseUntil: NOW, peerId } as const;
  const writes: Readonly<Record<Write["as"], Partial<Task>>> = {
    queued: { state: "queued", peerId: null },
    paused: { state: "queued", peerId: null, notBefore: NOW + 1 },
    offered: held,
    prefetched: { ...held, prefetched: true },
    running: { ...held, state: "running" },
    ended: { state: "succeeded", endedAt: NOW, leaseUntil: null },
  };
  return writes[as];
}

class Subject {
  readonly sql = nodeSql();
  registry = openRegistry(this.sql);
  #depth = 0;

  run(step: Step): void {
    if (step.at === "write") this.#write(step.write);
    else if (step.at === "look") this.compare();
    else if (step.at === "hand_over") this.registry.tasks.handOver("p", "q");
    else if (step.at === "transaction") this.#transact(step);
    else if (this.#depth === 0) this.registry = openRegistry(this.sql);
  }

  /** What is in memory must be what the rows say, also inside a transaction. */
  compare(): void {
    const { tasks } = this.registry;
    const ids = (query: string) => this.sql.exec(query).map(({ id }) => id);
    expect(tasks.waiting.length).toBe(ids("SELECT id FROM tasks WHERE state = 'queued'").length);
    const count = (where: string) => ids(`SELECT id FROM tasks WHERE ${where}`).length;
    for (const owner of OWNERS) {
      const of = `owner = '${owner}' AND`;
      expect(tasks.waiting.queuedOf(owner)).toBe(count(`${of} state = 'queued'`));
      const held = `lease_until IS NOT NULL`;
      expect(tasks.running.ofOwner(owner)).toBe(count(`${of} ${held}`));
      expect(tasks.running.ofKey(owner, "k")).toBe(
        count(`${of} concurrency_key = 'k' AND ${held}`),
      );
    }
    for (const kind of KINDS) {
      expect(tasks.running.ofKind(kind)).toBe(
        count(`kind = '${kind}' AND lease_until IS NOT NULL`),
      );
      const shape = { kind, requirements: aTask().requirements };
      const where = `FROM tasks WHERE kind = '${kind}' AND`;
      expect(tasks.waiting.queued(shape, NOW, -1).map(({ id }) => id)).toEqual(
        ids(`SELECT id ${where} state = 'queued' AND not_before <= ${NOW} ORDER BY turn, seq`),
      );
      const prefetched = this.sql.exec(
        `SELECT id, peer_id ${where} prefetched = 1 ORDER BY turn, seq`,
      );
      expect(tasks.waiting.prefetched(shape, -1).map(({ id, peerId }) => [id, peerId])).toEqual(
        prefetched.map((row) => [row["id"], row["peer_id"]]),
      );
    }
    for (const id of IDS)
      expect(tasks.get(id)?.state).toBe(
        this.sql.exec("SELECT state FROM tasks WHERE id = ?", id)[0]?.["state"],
      );
  }

  #write(write: Write): void {
    const { tasks } = this.registry;
    const place = IDS.indexOf(write.id);
    const base = aTask({
      id: write.id,
      kind: KINDS[place % 2] ?? "",
      owner: OWNERS[place % 3] ?? "",
      concurrency: place < 2 ? null : { key: "k", limit: 1 },
      queuePosition: place % 3,
      payload: exactJsonOf(place === 4 ? "x".repeat(5_000) : null),
      notBefore: 0,
    });
    const task = { ...base, prefetched: false, ...written(write) };
    if (tasks.get(write.id) === null) tasks.insert(task);
    else tasks.update(task);
  }

  #transact({ steps, fails }: Extract<Step, { at: "transaction" }>): void {
    this.#depth++;
    try {
      this.registry.transaction(() => {
        for (const step of steps) this.run(step);
        if (fails) throw new Refused();
      });
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
    } finally {
      this.#depth--;
    }
  }
}

class Refused extends Error {}

describe("the tasks that wait, in memory", () => {
  test("are those of the rows after any writes, failed transactions and savepoints, key rotations and wakes", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
        const subject = new Subject();
        for (const step of steps) subject.run(step);
        subject.compare();
      }),
      { numRuns: 500 * SCALE },
    );
  });
});
