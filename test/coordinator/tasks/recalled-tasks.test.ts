import { expect, test, vi } from "vitest";
import { testKey, TestMesh, type TestPeer } from "../mesh.ts";

/** Peers that each run a task and have prefetched another one. */
function busyPeers(mesh: TestMesh, count: number): readonly TestPeer[] {
  const peers = Array.from({ length: count }, (_, i) =>
    mesh.join(testKey(200 + i), { slots: 1, prefetch: true }),
  );
  for (let i = 0; i < 2 * count; i++) mesh.submit();
  for (const peer of peers)
    for (const offer of peer.offers) {
      const queued = offer !== peer.offers[0];
      mesh.run("accept_task", { ...peer.attempt(offer), queued });
    }
  return peers;
}

test("AS5 while a prefetched task is on its way to a free slot, no command considers all others for that slot", () => {
  const mesh = new TestMesh();
  const peers = busyPeers(mesh, 40);
  mesh.join(testKey(300), { slots: 1 });
  const { attempts, tasks } = mesh.registry;
  expect(tasks.recalls.size).toBe(1);
  const considered = vi.spyOn(attempts, "of");
  mesh.run("announce", { peerId: peers[0]?.id ?? "", epoch: 1, announced: { slots: 1 } });
  expect(considered.mock.calls.length).toBeLessThan(5);
});

test("AS5 each of several free peers is given a prefetched task, before the first one has come back", () => {
  const mesh = new TestMesh();
  busyPeers(mesh, 4);
  mesh.join(testKey(300), { slots: 1 });
  mesh.join(testKey(301), { slots: 1 });
  const { recalls } = mesh.registry.tasks;
  expect([testKey(300), testKey(301)].map(({ id }) => recalls.countFor(id))).toEqual([1, 1]);
});
