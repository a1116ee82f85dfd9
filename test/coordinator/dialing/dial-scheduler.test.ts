import { describe, expect, test } from "vitest";
import { DIAL_TIME_SLICE } from "../../../src/protocol/constants.ts";
import { must, present } from "../../must.ts";
import { DialingMesh, testUrl } from "../dialing-mesh.ts";
import { KEYS, START, testKey, TestPeer } from "../mesh.ts";

const [A, B, C] = KEYS;

describe("more addresses than the dial limit", () => {
  /** A mesh with a dial limit of two that is connected to two dialed peers. */
  function meshAtDialLimit(): { mesh: DialingMesh; dialed: TestPeer[] } {
    const mesh = new DialingMesh();
    const dialed = [A, B].map((key, n) => {
      mesh.dial(testUrl(n), key);
      return mesh.answerDial(testUrl(n), key);
    });
    return { mesh, dialed };
  }

  function runTaskAtEach(mesh: DialingMesh, peers: readonly TestPeer[]): void {
    for (const _ of peers)
      mesh.submit({ kind: "long", lease_seconds: 3_600, deadline_seconds: 86_400 });
    for (const peer of peers) peer.accept();
  }

  test("DL3 addresses over the dial limit are dialed in the order in which they were due; running attempts count", () => {
    const mesh = new DialingMesh();
    for (let n = 0; n < 5; n++) {
      mesh.dial(testUrl(n));
      mesh.now += 1;
    }
    expect(mesh.orders.map(({ url }) => url)).toEqual([testUrl(0), testUrl(1)]);
    mesh.failDial(testUrl(1));
    expect(mesh.orders.at(-1)?.url).toBe(testUrl(2));
    mesh.failDial(testUrl(0));
    expect(mesh.orders.at(-1)?.url).toBe(testUrl(3));
    mesh.runFor(60_000);
    expect(mesh.orderCount(testUrl(4))).toBe(1);
  });

  test("DL3 a queued address is dialed as soon as a dialed peer disconnects", () => {
    const { mesh, dialed } = meshAtDialLimit();
    mesh.dial(testUrl(2), C);
    mesh.runFor(DIAL_TIME_SLICE / 2);
    expect([mesh.dialView(testUrl(2)).state, mesh.orderCount(testUrl(2))]).toEqual(["queued", 0]);
    dialed[0]?.leave();
    expect(mesh.orderCount(testUrl(2))).toBe(1);
  });

  test("DL3 a queued address replaces an idle session whose time slice is over, but only after its peer has proved its key", () => {
    const { mesh, dialed } = meshAtDialLimit();
    mesh.dial(testUrl(2), C);
    expect(mesh.waitForDial(testUrl(2))).toBeLessThanOrEqual(DIAL_TIME_SLICE + 60_000);
    expect(dialed.map(({ endFault }) => endFault)).toEqual([null, null]);
    mesh.answerDial(testUrl(2), C);
    expect(dialed.map(({ endFault }) => endFault?.code)).toEqual(["mesh_full", undefined]);
    expect(mesh.run("get_peer", { id: A.id }).state).toBe("stale");
    expect(mesh.dialView(testUrl(0))).toMatchObject({ state: "waiting", failures: 0 });
    expect(mesh.registry.dials.taken().connected).toBe(2);
  });

  test("DL3 an address that does not answer ends no session", () => {
    const { mesh, dialed } = meshAtDialLimit();
    mesh.dial(testUrl(2));
    for (let n = 0; n < 5; n++) {
      mesh.waitForDial(testUrl(2), 10 * DIAL_TIME_SLICE);
      mesh.failDial(testUrl(2));
    }
    expect(dialed.map(({ endFault }) => endFault)).toEqual([null, null]);
  });

  test("DL3 a session that holds a task keeps its place", () => {
    const { mesh, dialed } = meshAtDialLimit();
    runTaskAtEach(mesh, dialed);
    mesh.dial(testUrl(2), C);
    mesh.runFor(2 * DIAL_TIME_SLICE);
    expect(mesh.orderCount(testUrl(2))).toBe(0);
    dialed[1]?.finish();
    mesh.waitForDial(testUrl(2));
    dialed[0]?.progress();
    mesh.answerDial(testUrl(2), C);
    expect(dialed.map(({ endFault }) => endFault?.code)).toEqual([undefined, "mesh_full"]);
  });

  test("DL3 the dial limit holds when sessions whose time slice was over get tasks before the new peer answers", () => {
    const { mesh, dialed } = meshAtDialLimit();
    mesh.dial(testUrl(2), C);
    mesh.waitForDial(testUrl(2));
    runTaskAtEach(mesh, dialed);
    const { dial } = mesh.newestOrder(testUrl(2));
    expect(mesh.errorOf("admit", new TestPeer(mesh, C).admitInput({ dial })).code).toBe(
      "mesh_full",
    );
  });

  test("DL3 all addresses get their turn, and the dial limit is never exceeded", () => {
    const mesh = new DialingMesh();
    const keys = Array.from({ length: 7 }, (_, n) => testKey(500 + n));
    const served = new Map<string, number>();
    for (const [n, key] of keys.entries()) mesh.dial(testUrl(n), key);
    let answered = 0;
    while (mesh.now < START + 40 * DIAL_TIME_SLICE) {
      for (const { url, publicKey, dial } of mesh.orders.slice(answered)) {
        answered++;
        const key = present(keys.find((candidate) => candidate.publicKey === publicKey));
        const { result } = mesh.execute("admit", new TestPeer(mesh, key).admitInput({ dial }));
        // No test peer answers for these sessions: only the number of connected addresses matters.
        must(result);
        served.set(url, (served.get(url) ?? 0) + 1);
        expect(mesh.registry.dials.taken().connected).toBeLessThanOrEqual(2);
      }
      mesh.now = Math.max(present(mesh.nextTick()), mesh.now + 1);
      mesh.tick();
    }
    const turns = keys.map((_, n) => served.get(testUrl(n)) ?? 0);
    expect(Math.min(...turns)).toBeGreaterThan(5);
    expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(3);
  });

  test("DL3 queued addresses wake the coordinator at most once a minute", () => {
    const { mesh } = meshAtDialLimit();
    for (let n = 2; n < 50; n++) mesh.dial(testUrl(n));
    const until = mesh.now + DIAL_TIME_SLICE / 2;
    let ticks = 0;
    while (mesh.now < until) {
      mesh.now = Math.max(present(mesh.nextTick()), mesh.now + 1);
      mesh.tick();
      ticks++;
    }
    expect(ticks).toBeLessThanOrEqual(DIAL_TIME_SLICE / 2 / 60_000 + 2);
  });
});
