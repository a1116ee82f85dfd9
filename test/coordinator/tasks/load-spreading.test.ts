import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../src/base/clock.ts";
import { DEFAULT_POLICY, type ExpectedCost } from "../../../src/tasks/policy.ts";
import type { TaskOffer } from "../../../src/protocol/messages.ts";
import { present } from "../../must.ts";
import { KEYS, TestMesh, type TestPeer } from "../mesh.ts";

const SLOTS = 16;
const CALLERS = 32;
const ROUNDS = 10;
const TASK_MS = 100;

interface Running {
  readonly peer: TestPeer;
  readonly offer: TaskOffer;
}

const meshWith = (policy: Partial<ExpectedCost> = {}): TestMesh =>
  new TestMesh({ config: { policy: { ...DEFAULT_POLICY, newcomerShare: 0, ...policy } } });

/** Four peers with 16 slots. The first has done many tasks already. */
function peersOf(mesh: TestMesh): readonly TestPeer[] {
  const [first, ...others] = KEYS.map((key) =>
    mesh.join(key, { slots: SLOTS, rttMs: 20 }).earn(SLOTS),
  );
  mesh.now += 5 * MINUTE;
  for (const other of others) other.observe("missed_answer");
  for (let i = 0; i < 40; i++) runOne(mesh);
  for (const other of others) other.observe("answered");
  return first === undefined ? [] : [first, ...others];
}

/** Lets the peer that was offered a task begin it. */
function begin(mesh: TestMesh, id: string): Running {
  const { peer_id: peerId } = mesh.task(id);
  const peer = [...mesh.sessions.values()].find((one) => one.id === peerId);
  if (peer === undefined) throw new Error("no peer got the task");
  const offer = present(peer.offers.find((one) => one.task_id === id));
  mesh.run("accept_task", { ...peer.attempt(offer), queued: false });
  return { peer, offer };
}

const finish = (mesh: TestMesh, { peer, offer }: Running): unknown =>
  mesh.run("finish_task", peer.successInput("done", offer));

/** Runs one task with nothing else in flight. */
function runOne(mesh: TestMesh): Running {
  const running = begin(mesh, mesh.submit().id);
  mesh.now += TASK_MS;
  finish(mesh, running);
  return running;
}

const heldBy = (peers: readonly TestPeer[]): readonly number[] =>
  peers.map(({ mesh, id }) => present(mesh.registry.peers.get(id)).held);

describe("spreading load over peers", () => {
  test("AS58 of 4 peers with 16 slots all work when 32 tasks are in flight, although one has all the successes", () => {
    const mesh = meshWith();
    const peers = peersOf(mesh);
    let running = Array.from({ length: CALLERS }, () => begin(mesh, mesh.submit().id));
    expect(heldBy(peers)).toEqual([8, 8, 8, 8]);
    const done = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      mesh.now += TASK_MS;
      running = running.map((task) => {
        finish(mesh, task);
        done.set(task.peer.id, (done.get(task.peer.id) ?? 0) + 1);
        const next = begin(mesh, mesh.submit().id);
        const held = heldBy(peers);
        expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
        return next;
      });
    }
    const equalShare = (ROUNDS * CALLERS) / peers.length;
    for (const { id } of peers) expect(done.get(id)).toBeGreaterThan(0.9 * equalShare);
  });

  test("AS58 without spreading two of the four peers stay idle", () => {
    const mesh = meshWith({ loadSpreading: null });
    const peers = peersOf(mesh);
    for (let i = 0; i < CALLERS; i++) begin(mesh, mesh.submit().id);
    expect(heldBy(peers).filter((held) => held === 0)).toHaveLength(2);
  });

  test("AS58 tasks one after the other stay at one peer", () => {
    const mesh = meshWith();
    peersOf(mesh);
    const peers = Array.from({ length: 20 }, () => runOne(mesh).peer.id);
    expect(new Set(peers)).toEqual(new Set([KEYS[0].id]));
  });

  test("AS57 the explanation says that load decided, and recomputes to the same peer", () => {
    const mesh = meshWith();
    const peers = peersOf(mesh);
    const [first, second] = [mesh.submit().id, mesh.submit().id];
    expect(mesh.run("why_task", { id: first, visibleTo: null }).by).toBe("measure");
    const why = mesh.run("why_task", { id: second, visibleTo: null });
    expect(why).toMatchObject({ by: "load", reproduced: true });
    expect(why.chosen).not.toBe(peers[0]?.id);
    expect(why.contenders[0]).toMatchObject({ peer_id: peers[0]?.id, held: 1, slots: SLOTS });
    expect(why.contenders.find(({ chosen }) => chosen)).toMatchObject({ held: 0 });
    expect(why.constants).toMatchObject({ loadSpreading: DEFAULT_POLICY.loadSpreading });
  });

  test("AS57 a choice that was stored before load counted is explained as it was made", () => {
    const mesh = meshWith();
    peersOf(mesh);
    mesh.submit();
    const { id } = mesh.submit();
    mesh.registry.measurements.flush();
    mesh.restart();
    mesh.sql.exec(
      `UPDATE choices SET choice = json_set(json_remove(choice, '$.policy.loadSpreading'),
         '$.by', 'measure', '$.chosen', json_extract(choice, '$.candidates[0].peerId'))
       WHERE task_id = ?`,
      id,
    );
    const why = mesh.run("why_task", { id, visibleTo: null });
    expect(why).toMatchObject({ by: "measure", chosen: KEYS[0].id, reproduced: true });
  });
});
