import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { CellDigest, KindDigest, Load } from "../../src/cells/cell-digest.ts";
import { placeOfConcurrency, placeOfKey } from "../../src/cells/placement.ts";
import { homeOf, SINGLE, withCells } from "../../src/cells/topology.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { CellDigests } from "../../src/routing/cell-digests.ts";
import { betterOfTwo, type CellDemand } from "../../src/routing/cell-choice.ts";
import { ELSEWHERE, NOT_READY, type Submitted } from "../../src/routing/network.ts";
import { cellsOfSubmission, submitTo } from "../../src/routing/submission.ts";
import { submission } from "../coordinator/submission.ts";
import { seededNumbers } from "../random.ts";

const NOW = 1_000_000;
const topology = withCells(SINGLE, 8, NOW, 1);
const DEMAND: CellDemand = { kind: "echo", capabilities: [] };

const LOAD: Load = { peers: 4, slots: 4, free: 2, prefetched: 0, waiting: 0, meanMs: 100 };
const NOBODY: Load = { ...LOAD, peers: 0, slots: 0, free: 0, meanMs: null };

const digestOf = (echo: Partial<KindDigest> = {}, more: Partial<CellDigest> = {}): CellDigest => ({
  kinds: [{ kind: "echo", ...LOAD, ...echo }],
  others: NOBODY,
  labels: [],
  full: false,
  ...more,
});

const scopeOf = (digests: CellDigests, seed = 1) => ({
  topology,
  now: NOW,
  random: seededNumbers(seed),
  digests,
});

function digestsOf(of: (cell: number) => CellDigest | null): CellDigests {
  const digests = new CellDigests();
  for (let cell = 0; cell < 8; cell++) {
    const digest = of(cell);
    if (digest !== null) digests.learned(cell, digest, NOW);
  }
  return digests;
}

/** How often each cell is the first choice. */
function shares(digests: CellDigests, demand = DEMAND, choices = 2_000): readonly number[] {
  const scope = scopeOf(digests);
  const counts = Array.from({ length: 8 }, () => 0);
  for (let choice = 0; choice < choices; choice++) {
    const [first = 0] = betterOfTwo(scope, demand);
    counts[first] = (counts[first] ?? 0) + 1;
  }
  return counts.map((count) => count / choices);
}

describe("the cell of a task", () => {
  it("CE80 is the better of two drawn at random: the worst gets nothing, the best not everything", () => {
    const found = shares(digestsOf((cell) => digestOf({ free: 0, waiting: 10 * cell })));
    expect(found[7]).toBe(0);
    expect(found[0]).toBeGreaterThan(0.2);
    expect(found[0]).toBeLessThan(0.3);
    expect(found.toSorted((a, b) => b - a)).toEqual(found);
  });

  it("CE80 is one that could take it, if there is one, by kind, labels and room", () => {
    const needed = [
      digestsOf((cell) => digestOf({ peers: cell === 5 ? 1 : 0 })),
      digestsOf((cell) => digestOf({}, { labels: cell === 5 ? ["gpu=a"] : ["gpu=b"] })),
      digestsOf((cell) => digestOf({}, { full: cell !== 5, labels: null })),
    ];
    const [byKind, byLabel, byRoom] = needed.map((digests, at) =>
      shares(digests, { kind: "echo", capabilities: at === 1 ? ["gpu=a"] : [] }, 200),
    );
    expect([byKind?.[5], byLabel?.[5], byRoom?.[5]]).toEqual([1, 1, 1]);
  });

  it("CE80 is one of which nothing is known, if no known one could take it", () => {
    const digests = digestsOf((cell) => (cell < 6 ? digestOf({ peers: 0 }) : null));
    const found = shares(digests, DEMAND, 400);
    expect((found[6] ?? 0) + (found[7] ?? 0)).toBe(1);
  });

  it("CE80 counts peers of every kind for a kind that is not listed", () => {
    const others = { ...LOAD, peers: 2, free: 1 };
    const digests = digestsOf((cell) => (cell === 3 ? digestOf({}, { others }) : digestOf()));
    expect(shares(digests, { kind: "rare", capabilities: [] }, 200)[3]).toBe(1);
  });

  it("CE148 gets its share also if nothing is known of it while others have free places", () => {
    const digests = digestsOf((cell) =>
      cell === 5 ? null : digestOf({ peers: 10, slots: 10, free: 10 }),
    );
    expect(shares(digests, DEMAND, 800)[5]).toBeGreaterThan(0.04);
  });

  it("CE148 is the one without a known digest, if the other one has no free slot", () => {
    const known = digestOf({ free: 0, meanMs: 1 });
    const found = shares(digestsOf((cell) => (cell < 6 ? known : null)));
    // Drawn: one of the two in 13 of 28 pairs.
    expect((found[6] ?? 0) + (found[7] ?? 0)).toBeCloseTo(13 / 28, 1);
  });

  it("CE80 is drawn as often as it has slots for the kind, among those that could take the task", () => {
    const slots = (cell: number): number => (cell === 2 ? 12 : cell === 5 ? 4 : cell === 7 ? 4 : 0);
    const digests = digestsOf((cell) =>
      digestOf({ peers: slots(cell), slots: slots(cell), free: slots(cell) }),
    );
    const found = shares(digests);
    // The free share is the same in all: the one that was drawn first stays the first.
    expect(
      [2, 5, 7].map((cell) => found[cell] ?? 0).map((share) => Math.round(share * 10)),
    ).toEqual([6, 2, 2]);
  });

  it("CE147 is seldom one whose peers have just rested: it looks free, and a few tasks probe it", () => {
    const digests = digestsOf((cell) =>
      digestOf(cell === 3 ? { peers: 1, slots: 1, free: 1 } : { peers: 50, slots: 100, free: 50 }),
    );
    const share = shares(digests, DEMAND, 20_000)[3] ?? 0;
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(0.01);
  });

  it("CE81 changes within a second as its caller submits", () => {
    const digests = digestsOf(() => digestOf());
    const scope = scopeOf(digests);
    const sent = Array.from({ length: 8 }, () => 0);
    for (let n = 0; n < 800; n++) {
      const [first = 0] = betterOfTwo(scope, DEMAND);
      digests.sent(first, "echo", 1);
      sent[first] = (sent[first] ?? 0) + 1;
    }
    expect(Math.max(...sent) - Math.min(...sent)).toBeLessThan(10);
  });

  it("CE81 is chosen again as time goes on, although nothing new is known of it: its peers have worked meanwhile", () => {
    const digests = digestsOf((cell) => digestOf({ free: 0, waiting: cell === 5 ? 80 : 4 }));
    const later = (ms: number) => {
      const scope = { ...scopeOf(digests), now: NOW + ms };
      for (let cell = 0; cell < 8; cell++)
        if (cell !== 5)
          digests.learnedKind(cell, { kind: "echo", ...LOAD, free: 0, waiting: 4 }, NOW + ms);
      return Array.from({ length: 400 }, () => betterOfTwo(scope, DEMAND)[0]).filter(
        (cell) => cell === 5,
      ).length;
    };
    expect(later(0)).toBe(0);
    expect(later(1_000)).toBe(0);
    expect(later(2_000)).toBeGreaterThan(20);
  });

  it("CE81 has what an answer said of the kind, until the next digest, and what was sent there since", () => {
    const digests = digestsOf(() => digestOf());
    const waitAt = (now: number) => digests.get(1, now)?.waitOf("echo");
    expect(waitAt(NOW)).toBe(-0.5);
    digests.learnedKind(1, { kind: "echo", ...LOAD, free: 0, prefetched: 3, waiting: 4 }, NOW + 10);
    expect(waitAt(NOW + 10)).toBe(200);
    digests.sent(1, "echo", 2);
    expect(waitAt(NOW + 10)).toBe(250);
    expect(waitAt(NOW + 60)).toBe(200);
    expect(waitAt(NOW + 900)).toBe(0);
    digests.learned(1, digestOf({ free: 4 }), NOW + 900);
    expect(waitAt(NOW + 900)).toBe(-1);
  });

  it("CE81 remembers what it was sent of 256 kinds: callers may name any number of them while it does not answer", () => {
    const digests = digestsOf(() => digestOf({}, { others: LOAD }));
    const waitOf = (kind: string) => digests.get(1, NOW)?.waitOf(kind);
    for (let n = 0; n < 256; n++) digests.sent(1, `kind ${n}`, 1);
    expect([waitOf("kind 0"), waitOf("kind 255")]).toEqual([-0.25, -0.25]);
    digests.sent(1, "kind 0", 1);
    digests.sent(1, "kind 256", 1);
    expect(["kind 0", "kind 1", "kind 256"].map(waitOf)).toEqual([25, -0.5, -0.25]);
  });

  it("CE81 is asked for its digest at most once a second, and an old digest says nothing", () => {
    const digests = new CellDigests();
    expect([digests.isWanted(1, NOW), digests.isWanted(1, NOW + 999)]).toEqual([true, false]);
    digests.learned(1, digestOf(), NOW + 999);
    expect([1_998, 1_999].map((ms) => digests.isWanted(1, NOW + ms))).toEqual([false, true]);
    expect([10_998, 10_999].map((ms) => digests.get(1, NOW + ms) !== null)).toEqual([true, false]);
  });

  it("CE82 is that of its idempotency key, of the peer it names, of its concurrency key", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer(), (key, seed) => {
        const scope = scopeOf(new CellDigests(), seed);
        const peerId = seed.toString(16).padStart(32, "0").slice(-32).replace("-", "0");
        const named = { requirements: { peer_id: peerId } };
        const concurrency = { key: "k", limit: 1 };
        const idempotency = { scope: "s", key };
        expect(
          cellsOfSubmission(
            scope,
            submission({ kind: "a", ...named, concurrency }, { idempotency }),
          ),
        ).toEqual([homeOf(topology, placeOfKey("s", key))]);
        expect(cellsOfSubmission(scope, submission({ kind: "a", ...named, concurrency }))).toEqual([
          homeOf(topology, peerId),
        ]);
        expect(cellsOfSubmission(scope, submission({ kind: "a", concurrency }))).toEqual([
          homeOf(topology, placeOfConcurrency("admin", "k")),
        ]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a submission that a cell refuses", () => {
  const network = (digests = new CellDigests()) => ({
    ...scopeOf(digests),
    ask: () => Promise.reject(new Error("not used")),
    submit: () => Promise.reject(new Error("not used")),
  });
  const asked = async (
    input: ReturnType<typeof submission>,
    code: "queue_full" | "storage_full" | "unavailable" | "owner_queue_full" | "invalid_request",
  ): Promise<{
    readonly cells: readonly number[];
    readonly answer: Result<string, MusterError>;
  }> => {
    const cells: number[] = [];
    const answer = await submitTo<string>(network(), input, async (cell) => {
      cells.push(cell);
      return cells.length === 1 ? err({ code, detail: "no" }) : ok("accepted");
    });
    return { cells, answer };
  };

  it.each(["queue_full", "storage_full"] as const)(
    "CE83 with %s goes to the second cell",
    async (code) => {
      const { cells, answer } = await asked(submission({ kind: "a" }), code);
      expect([new Set(cells).size, answer.ok]).toEqual([2, true]);
    },
  );

  it.each(["unavailable", "owner_queue_full", "invalid_request"] as const)(
    "CE83 with %s goes nowhere else: it may have run, or another cell would say the same",
    async (code) => {
      expect((await asked(submission({ kind: "a" }), code)).cells).toHaveLength(1);
    },
  );

  it("CE83 with an idempotency key goes nowhere else", async () => {
    const keyed = submission({ kind: "a" }, { idempotency: { scope: "s", key: "k" } });
    expect((await asked(keyed, "queue_full")).cells).toHaveLength(1);
  });

  it.each([
    // What the first cell says, the second one, and the first again; which cell has it in the end; how long it would wait in the other
    // cell, as the asked one is told.
    [[ELSEWHERE, "taken"], "second", ["second", "first"]],
    [[ELSEWHERE, ELSEWHERE, "taken"], "first", ["second", "first", null]],
    [[ELSEWHERE, "queue_full", "taken"], "first", ["second", "first", null]],
    [["queue_full", "taken"], "second", ["second", null]],
    [[ELSEWHERE, "unavailable"], "unavailable", ["second", "first"]],
    [["queue_full", "unavailable"], "unavailable", ["second", null]],
    [["queue_full", "storage_full"], "queue_full", ["second", null]],
    [[NOT_READY, "taken"], "second", ["second", null]],
    [[NOT_READY, "queue_full"], "unavailable", ["second", null]],
    [["queue_full", NOT_READY], "unavailable", ["second", null]],
    [[ELSEWHERE, NOT_READY, "taken"], "first", ["second", "first", null]],
  ] as const)("CE149 %j: %s", async (says, end, waits) => {
    const waitIn = (cell: number): number => (cell + 1) * 25;
    const digests = digestsOf((cell) => digestOf({ free: 0, waiting: cell }));
    const sentTo: { readonly cell: number; readonly wait: number | null }[] = [];
    const answer = await submitTo<string>(
      network(digests),
      submission({ kind: "echo" }),
      async (cell, _considered, { kind, wait }): Promise<Submitted<string>> => {
        expect(kind).toBe("echo");
        const said = says[sentTo.push({ cell, wait }) - 1];
        // What the cell has just said is known when the other one is asked.
        if (said === ELSEWHERE)
          digests.learnedKind(cell, { kind, ...LOAD, free: 0, waiting: cell }, NOW);
        if (said === ELSEWHERE || said === NOT_READY) return said;
        return said === "taken"
          ? ok(cell === sentTo[0]?.cell ? "first" : "second")
          : err({ code: said ?? "unavailable", detail: "no" });
      },
    );
    const [first, second] = sentTo.map(({ cell }) => cell);
    const waitOf = { first: waitIn(first ?? 0), second: waitIn(second ?? 0) };
    expect(sentTo.map(({ wait }) => wait)).toEqual(
      waits.map((cell) => (cell === null ? null : waitOf[cell])),
    );
    expect(answer.ok ? answer.value : answer.error.code).toBe(end);
  });

  it("CE83 is not sent to a cell that has just not answered, unless none answers", () => {
    const digests = new CellDigests();
    for (let cell = 1; cell < 8; cell++) digests.failed(cell, NOW);
    expect(shares(digests, DEMAND, 100)[0]).toBe(1);
    digests.failed(0, NOW);
    expect(shares(digests, DEMAND, 400).every((share) => share > 0)).toBe(true);
  });
});
