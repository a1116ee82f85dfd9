import * as fc from "fast-check";
import { expect, test } from "vitest";
import { handlesKind } from "../../src/protocol/messages.ts";
import { ShapeIndex, type Takers } from "../../src/registry/shape-index.ts";
import type { Shape } from "../../src/registry/shape.ts";
import type { Traits } from "../../src/scoring/peer-classes.ts";
import { meets } from "../../src/tasks/capabilities.ts";

const KINDS = ["resize", "encode"];
const IDS = ["a", "b", "c"];

const shapes: fc.Arbitrary<Shape> = fc.record({
  kind: fc.constantFrom(...KINDS),
  requirements: fc.record({
    capabilities: fc.array(
      fc.constantFrom(
        "gpu",
        "zone",
        "zone=1",
        "zone=2",
        "a=b",
        "mem>=4",
        "mem>=8",
        "mem<4",
        "a>1",
        "a>=-2",
      ),
      { maxLength: 3 },
    ),
    peer_id: fc.option(fc.constantFrom(...IDS), { nil: undefined }),
  }),
});

type Peer = Pick<Traits, "kinds" | "capabilities"> & { readonly id: string };

const peers: fc.Arbitrary<Peer> = fc.record({
  id: fc.constantFrom(...IDS, "d"),
  kinds: fc.array(fc.constantFrom("*", ...KINDS), { maxLength: 2 }),
  capabilities: fc.array(
    fc.constantFrom(
      "gpu",
      "gpu=x",
      "zone=1",
      "zone=3",
      "zone=1=2",
      "a=b",
      "mem=4",
      "mem=16GiB",
      "mem=-1",
      "a=2",
    ),
    { maxLength: 4 },
  ),
});

const takersOf = (all: readonly Peer[]): Takers => ({
  classes: () => all as unknown as readonly Traits[],
  among: (named) => all.map(({ id }) => id).filter((id) => named.has(id)),
});

const suits = ({ kind, requirements: { peer_id: named, capabilities } }: Shape, peer: Peer) =>
  (named === undefined || named === peer.id) &&
  handlesKind(peer.kinds, kind) &&
  capabilities.every((wanted) => meets(peer.capabilities, wanted));

test("AS124 a change of peers leads to every shape that they could take, and a shape is found no more once its last task is gone", () => {
  fc.assert(
    fc.property(fc.array(shapes), fc.array(peers, { maxLength: 4 }), fc.nat(), (all, some, cut) => {
      const index = new ShapeIndex();
      for (const shape of all) index.add(shape);
      const removed = all.slice(0, cut % (all.length + 1));
      for (const shape of removed) index.remove(shape);
      const left = all.slice(removed.length);
      const found = index.candidates(takersOf(some));
      const could = (shape: Shape) => some.some((peer) => suits(shape, peer));
      expect(left.filter(could).every((shape) => found.has(shape))).toBe(true);
      expect([...found].every((shape) => left.includes(shape))).toBe(true);
      for (const shape of left) index.remove(shape);
      expect([index.size, index.candidates(takersOf(some)).size]).toEqual([0, 0]);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["a value", (n: number) => [`zone=${n}`], ["zone=7"]],
  ["a name", (n: number) => [`feature${n}`], ["feature7", "feature8=yes"]],
  ["a value besides one that all require", (n: number) => ["gpu", `zone=${n}`], ["gpu", "zone=7"]],
])(
  "AS124 of 10,000 shapes that each require another label, by %s, those of the peer are found",
  (_, labels, own) => {
    const index = new ShapeIndex();
    for (let n = 0; n < 10_000; n++)
      index.add({ kind: "resize", requirements: { capabilities: labels(n) } });
    const found = index.candidates(takersOf([{ id: "d", kinds: ["*"], capabilities: own }]));
    expect(found.size).toBeLessThanOrEqual(2);
    expect(found.size).toBeGreaterThanOrEqual(1);
  },
);
