import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nothingObserved } from "../../src/scoring/observed.ts";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import { WriteBehind } from "../../src/registry/write-behind.ts";
import { aPeer } from "../contracts/records.ts";
import { nodeSql } from "../node-sql.ts";
import { SCALE } from "../session/arbitraries.ts";

const IDS = ["a", "b", "c"];

type Step =
  | { readonly at: "put"; readonly key: string; readonly value: number }
  | { readonly at: "wrote"; readonly key: string; readonly value: number | null }
  | { readonly at: "get"; readonly key: string }
  | { readonly at: "flush" };
const anyKey = fc.constantFrom(...IDS);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ at: fc.constant("put"), key: anyKey, value: fc.nat(9) }),
  fc.record({ at: fc.constant("wrote"), key: anyKey, value: fc.option(fc.nat(9)) }),
  fc.record({ at: fc.constant("get"), key: anyKey }),
  fc.record({ at: fc.constant("flush") }),
);
const anyTransaction = fc.record({
  steps: fc.array(anyStep, { maxLength: 6 }),
  fails: fc.boolean(),
});

/** A table, what is kept of it, and what a reader must find. */
class Table {
  rows = new Map<string, number>();
  seen = new Map<string, number>();
  readonly kept = new WriteBehind<number>({
    read: (keys) => [...this.rows].filter(([key]) => keys.includes(key)),
    write: (key, value) => void this.rows.set(key, value),
  });

  transact({ steps, fails }: { steps: readonly Step[]; fails: boolean }): void {
    const before = { rows: new Map(this.rows), seen: new Map(this.seen) };
    this.kept.begin();
    for (const step of steps) this.#take(step);
    if (!fails) return this.kept.commit();
    Object.assign(this, before);
    this.kept.rollback();
  }

  #take(step: Step): void {
    if (step.at === "flush") this.kept.flush();
    else if (step.at === "get") this.kept.get(step.key);
    else if (step.at === "put") {
      this.seen.set(step.key, step.value);
      this.kept.put(step.key, step.value);
    } else {
      for (const map of [this.rows, this.seen])
        if (step.value === null) map.delete(step.key);
        else map.set(step.key, step.value);
      this.kept.wrote(step.key, step.value);
    }
  }
}

describe("rows that are written behind", () => {
  test("SC31 are read as they were put, and after a failed transaction as they were before it", () => {
    fc.assert(
      fc.property(fc.array(anyTransaction, { maxLength: 12 }), (transactions) => {
        const table = new Table();
        for (const transaction of transactions) {
          table.transact(transaction);
          for (const key of IDS) expect(table.kept.get(key)).toBe(table.seen.get(key) ?? null);
        }
        table.kept.flush();
        expect(table.kept.unwritten).toBe(0);
        expect(table.rows).toEqual(table.seen);
      }),
      { numRuns: 300 * SCALE },
    );
  });

  test("SC31 are dropped from memory only after they are written", () => {
    const rows = new Map<string, number>();
    const kept = new WriteBehind<number>({
      read: (keys) => keys.flatMap((key) => (rows.has(key) ? [[key, rows.get(key) ?? 0]] : [])),
      write: (key, value) => void rows.set(key, value),
    });
    for (let n = 0; n < 20_000; n++) {
      kept.put(`${n}`, n);
      expect(rows.size + kept.unwritten).toBe(n + 1);
    }
    for (let n = 0; n < 20_000; n++) expect(kept.get(`${n}`)).toBe(n);
    expect(kept.size).toBeLessThanOrEqual(5_000);
    expect(kept.unwritten).toBeLessThanOrEqual(1_000);
  });
});

describe("a crash", () => {
  const sql = nodeSql();
  const registry = openRegistry(sql);
  const known = aPeer({ held: 0 });
  registry.peers.put(known);
  const observed = { ...nothingObserved(0), connectedAt: 7 };
  const rtt = { smoothedMs: 90, varianceMs: 1, minMs: 80, samples: 5 };
  const measure = () => {
    registry.peers.measured({ ...known, rtt, score: 0.25 });
    registry.observed.put(known.id, observed);
    registry.serviceTimes.put(known.id, "echo", {
      meanMs: 5,
      weight: 1,
      at: 0,
      recentMs: 5,
      drift: 0,
    });
    registry.kinds.put("echo", {
      service: { meanMs: 5, weight: 1 },
      incumbent: null,
      failures: null,
      usedAt: 3,
    });
  };
  const after = (): Registry => openRegistry(sql);

  test("SC31 loses unwritten measurements, and no peer", () => {
    measure();
    expect(registry.measurements.arePending()).toBe(true);
    expect(registry.peers.get(known.id)?.rtt).toEqual(rtt);
    const { peers, observed: lost, serviceTimes, kinds } = after();
    expect(peers.get(known.id)).toEqual(known);
    expect(lost.get(known.id)).toBeNull();
    expect(serviceTimes.get(known.id, "echo")).toBeNull();
    expect(kinds.get("echo").service).toBeNull();
  });

  test("SC31 loses no written value", () => {
    measure();
    registry.measurements.flush();
    expect(registry.measurements.arePending()).toBe(false);
    const { peers, observed: found, serviceTimes, kinds } = after();
    expect(peers.get(known.id)).toEqual({ ...known, rtt, score: 0.25 });
    expect(found.get(known.id)).toEqual(observed);
    expect(serviceTimes.get(known.id, "echo")).toEqual({
      meanMs: 5,
      weight: 1,
      at: 0,
      recentMs: 5,
      drift: 0,
    });
    expect(kinds.get("echo").usedAt).toBe(3);
  });

  test("SC31 forgets old kinds, but none that was used again and is not written yet", () => {
    const of = (usedAt: number) => ({ service: null, incumbent: null, failures: null, usedAt });
    for (const kind of ["old", "again"]) {
      registry.kinds.put(kind, of(5));
      registry.serviceTimes.put(known.id, kind, {
        meanMs: 4,
        weight: 1,
        at: 0,
        recentMs: 4,
        drift: 0,
      });
    }
    registry.measurements.flush();
    registry.kinds.put("again", of(20));
    registry.kinds.put("new", of(20));
    const pruned = registry.kinds.prune(10);
    expect(pruned).toEqual(expect.arrayContaining(["old"]));
    expect(pruned).not.toEqual(expect.arrayContaining(["again"]));
    for (const kind of pruned) registry.serviceTimes.forgetKind(kind);
    const kinds = registry.serviceTimes.ofPeer(known.id, 9).map(({ kind }) => kind);
    expect(kinds).toContain("again");
    expect(kinds).not.toContain("old");
  });

  test("SC31 loses no measurement of a peer whose state changes", () => {
    measure();
    registry.peers.put({ ...known, rtt, state: "stale" });
    expect(after().peers.get(known.id)).toMatchObject({ rtt, state: "stale" });
  });
});
