import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isConnected } from "../../src/peers/lifecycle.ts";
import type { Peer } from "../../src/peers/peer.ts";
import { Requirements } from "../../src/protocol/http.ts";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import type { Shape } from "../../src/registry/waiting-tasks.ts";
import { exclusion } from "../../src/tasks/eligibility.ts";
import { candidate, demand } from "../tasks/candidates.ts";
import { nodeSql } from "../node-sql.ts";
import { aPeer } from "../contracts/records.ts";
import { SCALE } from "../session/arbitraries.ts";

const IDS = Array.from({ length: 12 }, (_, n) => `${n}`.padStart(32, "0"));
const CAPABILITIES = ["gpu", "cores=8", "eu"];

const anyPeer: fc.Arbitrary<Peer> = fc
  .record({
    id: fc.constantFrom(...IDS),
    role: fc.constantFrom("worker", "dual", "controller"),
    state: fc.constantFrom("active", "active", "suspect", "stale", "revoked"),
    kinds: fc.constantFrom(["*"], ["*"], ["echo"], ["go-p2p/get_stats", "echo"], []),
    capabilities: fc.subarray(CAPABILITIES),
    slots: fc.integer({ min: 0, max: 2 }),
    prefetch: fc.boolean(),
    held: fc.integer({ min: 0, max: 3 }),
    successes: fc.integer({ min: 0, max: 6 }),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map((more) => aPeer(more));

const anyShape: fc.Arbitrary<Shape> = fc.record({
  kind: fc.constantFrom("echo", "go-p2p/get_stats"),
  requirements: fc
    .record(
      {
        capabilities: fc.subarray(["gpu", "cores>=4", "cores>9", "eu"]),
        peer_id: fc.constantFrom(...IDS),
        role: fc.constantFrom("worker", "dual"),
        min_score: fc.constantFrom(0, 0.25, 0.5),
      },
      { requiredKeys: ["capabilities"] },
    )
    .map((asked) => Requirements.parse(asked)),
});

type Write = { readonly put: Peer } | { readonly remove: string };
const anyWrite: fc.Arbitrary<Write> = fc.oneof(
  { weight: 5, arbitrary: anyPeer.map((put) => ({ put })) },
  { weight: 1, arbitrary: fc.constantFrom(...IDS).map((remove) => ({ remove })) },
);
/** A few writes in one transaction, which may fail at its end. */
const anyTransaction = fc.record({
  writes: fc.array(anyWrite, { minLength: 1, maxLength: 4 }),
  fails: fc.boolean(),
});

function write({ peers }: Registry, one: Write): void {
  if ("put" in one) peers.put(one.put);
  else peers.remove(one.remove);
}

function transact(
  registry: Registry,
  { writes, fails }: { writes: readonly Write[]; fails: boolean },
): void {
  try {
    registry.transaction(() => {
      for (const one of writes) write(registry, one);
      if (fails) throw new Error("no");
    });
  } catch (thrown) {
    if ((thrown as Error).message !== "no") throw thrown;
  }
}

/** Who may have a task of this shape, by the rules and the rows alone. */
const eligible = (registry: Registry, { kind, requirements }: Shape): readonly Peer[] =>
  registry.peers.list({ limit: 100 }).filter((peer) => {
    const own = candidate({ ...peer, peerId: peer.id, active: peer.state === "active" });
    return exclusion(demand({ kind, requirements }), own) === null;
  });

const idsOf = (peers: readonly Peer[]) => peers.map(({ id }) => id);

describe("the roster of connected peers", () => {
  test("SC28 equals the stored records of the peers that may have a task, after any write, failed transaction and wake", () => {
    fc.assert(
      fc.property(
        fc.array(anyTransaction, { maxLength: 20 }),
        fc.array(anyShape, { minLength: 1, maxLength: 3 }),
        fc.nat(20),
        (transactions, shapes, wakesAt) => {
          const sql = nodeSql();
          let registry = openRegistry(sql, 1);
          for (const [n, transaction] of transactions.entries()) {
            transact(registry, transaction);
            if (n === wakesAt) registry = openRegistry(sql, 2);
            for (const shape of shapes) {
              const may = eligible(registry, shape);
              const candidates = registry.roster.candidates(shape, 100);
              expect(idsOf(candidates)).toEqual(expect.arrayContaining(idsOf(may)));
              for (const peer of candidates) expect(peer).toEqual(registry.peers.get(peer.id));
              if (may.length > 0) expect(registry.roster.isOpen(shape)).toBe(true);
              const free = may.some(({ held, slots }) => held < slots);
              if (free) expect(registry.roster.isOpen(shape, true)).toBe(true);
            }
            const anyFree = registry.peers
              .list({ limit: 100 })
              .some(
                ({ state, role, held, slots }) =>
                  state === "active" && role !== "controller" && held < slots,
              );
            expect(registry.roster.anyFree()).toBe(anyFree);
          }
        },
      ),
      { numRuns: 150 * SCALE },
    );
  });

  test("SC28 reports a peer with room only if there is one, to a 1,024th of a score", () => {
    fc.assert(
      fc.property(fc.array(anyPeer, { maxLength: 12 }), anyShape, (peers, shape) => {
        const registry = openRegistry(nodeSql());
        for (const peer of peers) registry.peers.put(peer);
        const { min_score: least = 0, ...rest } = shape.requirements;
        const nearly = {
          ...shape,
          requirements: { ...rest, min_score: Math.max(0, least - 1 / 1_024) },
        };
        if (registry.roster.isOpen(shape) && shape.requirements.peer_id === undefined)
          expect(eligible(registry, nearly)).not.toEqual([]);
      }),
      { numRuns: 150 * SCALE },
    );
  });

  test("SC30 returns all peers that could take a task if they are few, else those with free slots first, then the best by score", () => {
    const registry = openRegistry(nodeSql());
    const shape: Shape = { kind: "echo", requirements: Requirements.parse({}) };
    const put = (n: number, more: Partial<Peer>) =>
      registry.peers.put(
        aPeer({ id: `${n}`.padStart(32, "0"), slots: 1, held: 0, successes: 50, ...more }),
      );
    for (let n = 0; n < 100; n++) put(n, { score: n / 100 });
    for (let n = 100; n < 130; n++) put(n, { score: 0.999, held: 1, prefetch: true });
    for (let n = 130; n < 150; n++) put(n, { score: 0.01, successes: 0, failures: 0 });
    const numbers = (limit: number) =>
      registry.roster.candidates(shape, limit).map(({ id }) => Number(id));
    expect(numbers(150)).toHaveLength(150);
    const few = numbers(40);
    expect(few.filter((n) => n < 100).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 35 }, (_, n) => 65 + n),
    );
    expect(few.filter((n) => n >= 130)).toHaveLength(5);
    const most = numbers(130);
    expect(most.filter((n) => n < 100)).toHaveLength(100);
    expect(most.filter((n) => n >= 130)).toHaveLength(20);
    expect(most.filter((n) => n >= 100 && n < 130)).toHaveLength(10);
  });

  test("SC28 contains no disconnected peer", () => {
    const registry = openRegistry(nodeSql());
    registry.peers.put(aPeer({ held: 0 }));
    const shape: Shape = { kind: "echo", requirements: Requirements.parse({}) };
    expect(registry.roster.candidates(shape, 9)).toHaveLength(1);
    for (const state of ["stale", "revoked", "evicted", "discovered"] as const) {
      registry.peers.put(aPeer({ held: 0, state }));
      expect([isConnected(state), registry.roster.candidates(shape, 9)]).toEqual([false, []]);
    }
  });
});
