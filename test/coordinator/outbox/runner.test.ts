import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CELL_DELIVERIES, OutboxRunner } from "../../../src/coordinator/outbox/runner.ts";
import type { Input } from "../../../src/contract/commands.ts";
import { ok } from "../../../src/base/result.ts";
import { openRegistry, type Registry } from "../../../src/registry/registry.ts";
import { nodeSql } from "../../node-sql.ts";
import { present } from "../../must.ts";

const NOW = 1_000;

/** A runner of calls of cells, which the test answers. A cell has nothing more to take once it is answered. */
class Calls {
  readonly registry: Registry = openRegistry(nodeSql());
  readonly failed: unknown[] = [];
  /** Calls under way, by cell. */
  readonly underWay = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  /** The cells that were called, in order. */
  readonly called: number[] = [];
  /** What happens when a call begins. */
  begins = (_cell: number): void => {};
  /** Whether an answered call removes its entry. */
  removes = true;
  readonly runner: OutboxRunner;

  constructor(concurrent = CELL_DELIVERIES.concurrent) {
    const ports: Partial<ConstructorParameters<typeof OutboxRunner>[0]> = {
      registry: this.registry,
      now: () => NOW,
      pullPeers: (cell) => this.#call(cell),
      execute: (name, input) => {
        if (name === "outbox_failed")
          this.registry.outbox.retry((input as Input<"outbox_failed">).entry, NOW + 1);
        return ok({} as never);
      },
      onFailure: (_, error) => void this.failed.push(error),
    };
    this.runner = new OutboxRunner(ports as never, { ...CELL_DELIVERIES, concurrent });
  }

  add(...cells: readonly number[]): void {
    for (const cell of cells) this.registry.outbox.add({ kind: "pull_peers", cell }, NOW);
  }

  async answer(cell: number): Promise<void> {
    present(this.underWay.get(cell)).resolve();
    await settled();
  }

  async #call(cell: number): Promise<void> {
    this.called.push(cell);
    this.begins(cell);
    // It is added again by what happens from now on.
    if (this.removes) this.registry.outbox.remove({ kind: "pull_peers", cell });
    await new Promise<void>((resolve, reject) => void this.underWay.set(cell, { resolve, reject }));
    this.underWay.delete(cell);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

let calls = new Calls();
beforeEach(() => {
  calls = new Calls();
});
afterEach(async () => {
  calls.removes = true;
  for (const cell of calls.underWay.keys()) await calls.answer(cell);
});

describe("calls of cells", () => {
  it("CE154 are begun while the call of another one hangs", async () => {
    calls.add(1);
    void calls.runner.run();
    await settled();
    calls.add(2, 3);
    void calls.runner.run();
    await settled();
    expect(calls.called).toEqual([1, 2, 3]);
    await calls.answer(3);
    calls.add(3);
    void calls.runner.run();
    await settled();
    expect([calls.called, [...calls.underWay.keys()]]).toEqual([
      [1, 2, 3, 3],
      [1, 2, 3],
    ]);
  });

  it("CE154 are waited for only as long as the caller needs one", async () => {
    calls.add(1, 2);
    let isOver = false;
    const run = calls.runner
      .runUntil(() => calls.called.includes(2) && !calls.underWay.has(2))
      .then(() => (isOver = true));
    await settled();
    expect(isOver).toBe(false);
    await calls.answer(2);
    await run;
    expect([...calls.underWay.keys()]).toEqual([1]);
  });

  it("are repeated once they are answered, if their entry was added again meanwhile", async () => {
    calls.add(1);
    const run = calls.runner.run();
    await settled();
    calls.add(1);
    void calls.runner.run();
    await settled();
    expect(calls.called).toEqual([1]);
    await calls.answer(1);
    expect(calls.called).toEqual([1, 1]);
    await calls.answer(1);
    await run;
  });

  it("are waited for once, however many callers wait: under a steady load there are always calls under way", async () => {
    calls.add(1);
    const run = calls.runner.run();
    await settled();
    calls.add(2);
    expect(calls.runner.run()).toBe(run);
    await calls.answer(1);
    calls.add(3);
    expect(calls.runner.run()).toBe(run);
    await settled();
    await calls.answer(2);
    await calls.answer(3);
    await run;
    calls.add(4);
    const next = calls.runner.run();
    expect(next).not.toBe(run);
    await settled();
    await calls.answer(4);
    await next;
  });

  it("begin once, also if what they do looks at once for more", async () => {
    calls.begins = () => void calls.runner.run();
    calls.add(1, 2, 3);
    void calls.runner.run();
    await settled();
    expect(new Set(calls.called)).toEqual(new Set([1, 2, 3]));
    expect(calls.called).toHaveLength(3);
  });

  it("are under way so many at the same time, and all of them in the end", async () => {
    calls = new Calls(4);
    const cells = Array.from({ length: 30 }, (_, n) => n + 1);
    calls.add(...cells);
    const run = calls.runner.run();
    await settled();
    for (let most = 0; calls.underWay.size > 0;) {
      most = Math.max(most, calls.underWay.size);
      expect(most).toBe(4);
      await calls.answer([...calls.underWay.keys()].at(-1) as number);
    }
    await run;
    expect(calls.called.toSorted((a, b) => a - b)).toEqual(cells);
  });

  it("whose entry stays due are not repeated without end", async () => {
    calls.removes = false;
    calls.add(1, 2);
    const run = calls.runner.run();
    await settled();
    void calls.runner.run();
    await calls.answer(2);
    expect(calls.called).toEqual([1, 2, 2]);
    await calls.answer(2);
    expect(calls.called).toEqual([1, 2, 2]);
    for (const cell of [1, 1, 2]) await calls.answer(cell);
    await run;
    expect(calls.called).toEqual([1, 2, 2, 1, 2]);
  });

  it("that fail are reported, and repeated later", async () => {
    calls.removes = false;
    calls.add(1);
    const run = calls.runner.run();
    await settled();
    present(calls.underWay.get(1)).reject(new Error("injected"));
    await run;
    expect(calls.failed).toEqual([new Error("injected")]);
    expect(calls.registry.outbox.due(NOW + 1, 10)).toMatchObject([{ failures: 1 }]);
    expect(calls.registry.outbox.due(NOW, 10)).toEqual([]);
  });
});
