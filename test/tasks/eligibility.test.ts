import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GO_P2P_KINDS, GO_P2P_REPLIES } from "../../src/protocol/messages.ts";
import { exclusion, type Candidate, type Exclusion } from "../../src/tasks/eligibility.ts";
import { candidate, demand } from "./candidates.ts";

interface Case {
  readonly task: Parameters<typeof demand>[0];
  /** A peer that the rule rules out, and one like it that passes. */
  readonly out: Partial<Candidate>;
  readonly in: Partial<Candidate>;
}

const CASES: { readonly [Rule in Exclusion]: Case } = {
  not_active: { task: {}, out: { active: false }, in: { active: true } },
  cordoned: { task: {}, out: { cordoned: true }, in: { cordoned: false } },
  controller: { task: {}, out: { role: "controller" }, in: { role: "dual" } },
  other_peer_named: {
    task: { requirements: { peer_id: "named" } },
    out: { peerId: "other" },
    in: { peerId: "named" },
  },
  avoided: {
    task: { requirements: { avoid: ["bad", "worse"] } },
    out: { peerId: "worse" },
    in: { peerId: "other" },
  },
  other_role: {
    task: { requirements: { role: "dual" } },
    out: { role: "worker" },
    in: { role: "dual" },
  },
  kind_not_handled: {
    task: { kind: "echo" },
    out: { kinds: ["echo2", "ech", ""] },
    in: { kinds: ["render", "echo"] },
  },
  capability_missing: {
    task: { requirements: { capabilities: ["gpu", "arch=arm64"] } },
    out: { capabilities: ["gpu", "arch=arm6", "arch=arm64x"] },
    in: { capabilities: ["arch=arm64", "other", "gpu"] },
  },
  score_too_low: {
    task: { requirements: { min_score: 0.6 } },
    out: { score: 0.599 },
    in: { score: 0.6 },
  },
  refused: { task: { refused: ["lately"] }, out: { peerId: "lately" }, in: { peerId: "other" } },
  others_may_return: { task: {}, out: { returning: true }, in: { returning: false } },
  failed_here: {
    task: { tried: ["tried"], othersCouldTake: true },
    out: { peerId: "tried" },
    in: { peerId: "other" },
  },
  circuit_open: { task: {}, out: { circuit: "open" }, in: { circuit: "half_open" } },
  probe_running: {
    task: {},
    out: { circuit: "half_open", probing: true, slots: 2, held: 1 },
    in: { circuit: "half_open", probing: false, slots: 2, held: 1 },
  },
  no_room: { task: {}, out: { slots: 2, held: 2 }, in: { slots: 2, held: 1 } },
};

describe("a peer may have a task", () => {
  test.for(Object.entries(CASES))("AS2 only if it passes the rule %s", ([rule, one]) => {
    expect(exclusion(demand(one.task), candidate(one.out))).toBe(rule);
    expect(exclusion(demand(one.task), candidate(one.in))).toBeNull();
  });

  test("AS2 also when it failed at the task before, if no other peer could take the task", () => {
    expect(exclusion(demand({ tried: ["peer"] }), candidate())).toBeNull();
  });

  test("BR6 in a panic also while it rests, and then one at a time", () => {
    const panic = demand({ panic: true });
    expect(exclusion(panic, candidate({ circuit: "open", slots: 4 }))).toBeNull();
    const busy = candidate({ circuit: "open", probing: true, slots: 4, held: 1 });
    expect(exclusion(panic, busy)).toBe("probe_running");
    expect(exclusion(panic, candidate({ circuit: "refusing" }))).toBe("circuit_open");
  });

  test("SC40 beyond the slots that it has earned only if it prefetches", () => {
    const serial = { slots: 64, earnedSlots: 2 };
    expect(exclusion(demand(), candidate({ ...serial, held: 1 }))).toBeNull();
    expect(exclusion(demand(), candidate({ ...serial, held: 2 }))).toBe("no_room");
    expect(exclusion(demand(), candidate({ ...serial, held: 2, prefetch: true }))).toBeNull();
  });

  test("AS17 beyond its slots only if it prefetches, and then one at most", () => {
    expect(exclusion(demand(), candidate({ slots: 2, held: 2, prefetch: true }))).toBeNull();
    expect(exclusion(demand(), candidate({ slots: 2, held: 3, prefetch: true }))).toBe("no_room");
    expect(exclusion(demand(), candidate({ slots: 0, held: 0, prefetch: true }))).toBe("no_room");
  });

  test("AS2 not when it has no slots, or holds more tasks than it has slots", () => {
    expect(exclusion(demand(), candidate({ slots: 0 }))).toBe("no_room");
    expect(exclusion(demand(), candidate({ slots: 1, held: 3 }))).toBe("no_room");
  });
});

describe("a peer without Muster's messages", () => {
  const plain = candidate({ kinds: GO_P2P_KINDS });

  test.for(Object.keys(GO_P2P_REPLIES))("AS4 gets the kind go-p2p/%s", (type) => {
    expect(exclusion(demand({ kind: `go-p2p/${type}` }), plain)).toBeNull();
  });

  test.for([
    "get_stats",
    "go-p2p",
    "go-p2p/",
    "go-p2p/ping",
    "go-p2p/stats",
    "go-p2p/get_stats/",
    "go-p2p/toString",
    "go-p2p/__proto__",
    "x/go-p2p/get_stats",
  ])("AS4 does not get the kind %s", (kind) => {
    expect(exclusion(demand({ kind }), plain)).toBe("kind_not_handled");
  });

  test("AS61 a peer that announces * may have a task of any kind, a peer that announces none of no kind", () => {
    fc.assert(
      fc.property(fc.string(), (kind) => {
        expect(exclusion(demand({ kind }), candidate({ kinds: ["*"] }))).toBeNull();
        expect(exclusion(demand({ kind }), candidate({ kinds: [] }))).toBe("kind_not_handled");
      }),
    );
  });
});
