import * as fc from "fast-check";
import { expect, it, vi } from "vitest";
import { HOUR, SECOND } from "../../src/base/clock.ts";
import { ablePeers, type Handlers } from "../../src/coordinator/cells/able-peers.ts";
import { restingAt } from "../../src/coordinator/tasks/circuits.ts";
import { handlesKind } from "../../src/protocol/handled-kinds.ts";
import { WHOLE_PEER } from "../../src/registry/resting-circuits.ts";
import { NEW_CIRCUIT } from "../../src/tasks/circuit.ts";
import { usableSlots } from "../../src/tasks/eligibility.ts";
import { TestMesh, testKey } from "../coordinator/mesh.ts";

const KINDS = ["a", "b", "c"];

const circuits = fc.dictionary(
  fc.constantFrom(WHOLE_PEER, ...KINDS),
  fc.constantFrom(-2 * HOUR, -SECOND, SECOND, 2 * SECOND),
  { maxKeys: 3 },
);
const fleet = fc.array(
  fc.record({
    kinds: fc.uniqueArray(fc.constantFrom("*", ...KINDS), { minLength: 1 }),
    slots: fc.integer({ min: 1, max: 3 }),
    tasks: fc.nat({ max: 3 }),
    circuits,
    leaves: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);
type Fleet = typeof fleet extends fc.Arbitrary<infer T> ? T : never;

function meshOf(peers: Fleet): TestMesh {
  const mesh = new TestMesh();
  for (const [n, { kinds, slots, tasks, circuits: rests, leaves }] of peers.entries()) {
    const peer = mesh.join(testKey(300 + n), { kinds, slots }).earn(slots);
    const [kind = ""] = kinds;
    for (let task = 0; task < tasks; task++)
      mesh.submit({ kind: kind === "*" ? "d" : kind, requirements: { peer_id: peer.id } });
    for (const [of, ms] of Object.entries(rests))
      mesh.registry.circuits.put(
        peer.id,
        of,
        { ...NEW_CIRCUIT, restsUntil: mesh.now + ms },
        mesh.now,
      );
    if (leaves) peer.leave();
  }
  return mesh;
}

/** What the peers have for a kind, each looked at by itself. */
function expectedOf(mesh: TestMesh, kind: string): Handlers {
  const { registry, now } = mesh;
  const resting = restingAt({ registry, now } as never, kind);
  const found = { peers: 0, slots: 0, free: 0, prefetched: 0 };
  for (const peer of registry.roster.allIfFew() ?? []) {
    const state = resting.get(peer.id) ?? "closed";
    if (peer.state !== "active" || !handlesKind(peer.kinds, kind)) continue;
    if (state === "open" || state === "refusing") continue;
    const slots = state === "half_open" ? 1 : usableSlots(peer);
    found.peers++;
    found.slots += slots;
    found.free += Math.max(0, slots - peer.held);
    found.prefetched += state === "half_open" ? 0 : Math.max(0, peer.held - slots);
  }
  return found;
}

it("CE81 CE147 for each kind, the sums are those of its peers as their circuits let them work", () => {
  fc.assert(
    fc.property(fleet, (peers) => {
      const mesh = meshOf(peers);
      const able = ablePeers(mesh.registry, mesh.now);
      for (const kind of KINDS) expect(able.of(kind)).toEqual(expectedOf(mesh, kind));
      expect(able.ofEvery).toEqual(expectedOf(mesh, WHOLE_PEER));
    }),
    { numRuns: 150 },
  );
});

it("CE81 each peer that rests is looked at once, however many kinds there are", () => {
  const mesh = new TestMesh();
  for (let n = 0; n < 10; n++) {
    const kinds = Array.from({ length: 16 }, (_, at) => `kind-${n}-${at}`);
    const { id } = mesh.join(testKey(300 + n), { kinds });
    const rests = { ...NEW_CIRCUIT, restsUntil: mesh.now + SECOND };
    for (const kind of [WHOLE_PEER, ...kinds])
      mesh.registry.circuits.put(id, kind, rests, mesh.now);
  }
  mesh.registry.roster.allIfFew();
  const get = vi.spyOn(mesh.registry.peers, "get");
  const able = ablePeers(mesh.registry, mesh.now);
  expect([...able.kinds]).toHaveLength(160);
  expect(able.of("kind-3-3")).toEqual({ peers: 0, slots: 0, free: 0, prefetched: 0 });
  expect(get.mock.calls.length).toBeLessThanOrEqual(20);
});
