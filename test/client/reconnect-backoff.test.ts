import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import {
  ReconnectBackoff,
  delayAfterDisconnect,
  delayAfterFailedDial,
} from "../../src/client/peer/reconnect-backoff.ts";
import { RECONNECT_POSITION_MAX } from "../../src/protocol/constants.ts";
import { Reconnect } from "../../src/protocol/messages.ts";
import { seededNumbers } from "../random.ts";
import { FakeMesh } from "./fake-mesh.ts";

/** Multiplies the number of generated cases: 1 in ordinary runs, more in long ones. */
const SCALE = Number(process.env["MUSTER_TEST_SCALE"] ?? 1);

/** Any position that the schema accepts, hostile ones included. */
const anyTurn = fc.record({
  slot: fc.integer({ min: 0, max: RECONNECT_POSITION_MAX }),
  per_second: fc.double({ min: 0, minExcluded: true, noNaN: true, noDefaultInfinity: true }),
});
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("the reconnect delay", () => {
  test("RC1 after a disconnect is the position's delay plus less than half a second of jitter", () => {
    const slots = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(slots, fc.integer({ min: 20, max: 1_000 }), anyRandom, (slot, rate, random) => {
        const pause = delayAfterDisconnect({ slot, per_second: rate }, 1, random);
        const turn = (slot / rate) * SECOND;
        expect(pause).toBeGreaterThanOrEqual(turn);
        expect(pause).toBeLessThan(turn + SECOND / 2);
      }),
      { numRuns: 1_000 * SCALE },
    );
  });

  test("RC2 is between 0 and 10 min for any position and any time of absence", () => {
    const anyAge = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 1e12 }));
    const anyStory = fc.array(
      fc.record({ lived: anyAge, passed: fc.integer({ min: -1e9, max: 1e12 }) }),
    );
    fc.assert(
      fc.property(anyTurn, anyStory, anyRandom, (turn, story, random) => {
        expect(Reconnect.safeParse(turn).success).toBe(true);
        const comeback = new ReconnectBackoff();
        comeback.setPosition(turn);
        let now = 0;
        for (const { lived, passed } of story) {
          now += passed;
          const pause = comeback.nextDelay(lived, now, random);
          expect(pause).toBeGreaterThanOrEqual(0);
          expect(pause).toBeLessThanOrEqual(10 * MINUTE);
        }
      }),
      { numRuns: 1_000 * SCALE },
    );
  });

  test("RC3 after a failed dial grows with the time since the disconnect", () => {
    const turn = { slot: 100, per_second: 10 };
    expect(delayAfterFailedDial(turn, 4 * SECOND, 0)).toBe(4 * SECOND);
    expect(delayAfterFailedDial(turn, 4 * SECOND, 0.5)).toBe(6 * SECOND);
    expect(delayAfterFailedDial(turn, 0, 0)).toBe(SECOND / 2);
  });

  test("RC3 grows to at most 30 s for an early position, and to twice the position's delay for a late one", () => {
    expect(delayAfterFailedDial({ slot: 0, per_second: 10 }, 60 * MINUTE, 0.999_999)).toBe(29_999);
    expect(delayAfterFailedDial({ slot: 600, per_second: 10 }, 60 * MINUTE, 0)).toBe(60 * SECOND);
  });

  test.each([0, 3, 20, 90, 600])(
    "RC3 keeps 2,000 peers within three times the rate after an outage of %i s, and all reconnect",
    (outage) => {
      const { peak, last } = returnOf({ peers: 2_000, rate: 40, outage: outage * SECOND });
      expect(peak).toBeLessThanOrEqual(3 * 40);
      // By then every position has come up, or the peers that were too early have dialed once more.
      expect(last).toBeLessThanOrEqual(
        Math.max(51 * SECOND, 3 * outage * SECOND, outage * SECOND + 101 * SECOND),
      );
    },
  );

  test("RC3 keeps 20,000 peers within four times the default rate, also after an outage of an hour", () => {
    for (const outage of [5 * SECOND, 60 * MINUTE]) {
      const { peak } = returnOf({ peers: 20_000, rate: 100, outage });
      expect(peak).toBeLessThanOrEqual(4 * 100);
    }
  });
});

/** Simulates many peers whose mesh is unreachable from 0 to `outage`: returns the highest number of dials per second, and the last reconnect. */
function returnOf({ peers, rate, outage }: { peers: number; rate: number; outage: number }) {
  const random = seededNumbers(7);
  const tries = new Map<number, number>();
  let last = 0;
  for (let slot = 0; slot < peers; slot++) {
    const comeback = new ReconnectBackoff();
    comeback.setPosition({ slot, per_second: rate });
    let at = comeback.nextDelay(10 * MINUTE, 0, random());
    for (;;) {
      const second = Math.floor(at / SECOND);
      tries.set(second, (tries.get(second) ?? 0) + 1);
      if (at >= outage) break;
      at += comeback.nextDelay(null, at, random());
    }
    last = Math.max(last, at);
  }
  return { peak: Math.max(...tries.values()), last };
}

describe("a peer whose session ended", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const pauses = (mesh: FakeMesh) =>
    mesh.eventsOf("disconnected").map(({ retryInMs }) => retryInMs);
  const turn = (slot: number) => ({ reconnect: { slot, per_second: 10 } });

  test("RC1 waits for the position that the newest welcome assigned", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    mesh.welcomeNext(turn(70)).close(1006);
    await vi.advanceTimersByTimeAsync(7_249);
    expect(mesh.sessions).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(mesh.sessions).toHaveLength(2);
    mesh.welcomeNext(turn(20)).close(1006);
    expect(pauses(mesh)).toEqual([7_250, 2_500]);
  });

  test("RC1 waits for the position that a disconnect message assigned after the welcome", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    const session = mesh.welcomeNext(turn(70));
    session.send("disconnect", { reason: "a new version comes", code: 1001, ...turn(30) });
    session.close(4503);
    expect(pauses(mesh)).toEqual([3_250]);
    const { reconnect } = turn(50);
    await vi.advanceTimersByTimeAsync(3_250);
    const next = mesh.welcomeNext({ reconnect });
    next.send("disconnect", { reason: "go-p2p's has no turn", code: 1001 });
    next.close(1001);
    expect(pauses(mesh).at(-1)).toBe(5_250); // 4503 was no failure
  });

  test("RC1 uses jitter only if the newest welcome assigned no position", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    mesh.welcomeNext(turn(70)).close(1006);
    await vi.advanceTimersByTimeAsync(7_250);
    mesh.welcomeNext().close(1006);
    expect(pauses(mesh).at(-1)).toBe(500);
  });

  test("RC2 dials after 10 min at the latest, whatever its position", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    mesh
      .welcomeNext({ reconnect: { slot: RECONNECT_POSITION_MAX, per_second: 1e-300 } })
      .close(1006);
    expect(pauses(mesh)).toEqual([10 * MINUTE]);
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(mesh.sessions).toHaveLength(2);
  });

  test("RC3 dials again after about as long as it was disconnected, if the mesh is not back", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    mesh.welcomeNext(turn(70)).close(1006);
    await vi.advanceTimersByTimeAsync(7_250);
    mesh.lastSession.close(1006);
    expect(pauses(mesh)).toEqual([7_250, 10_875]);
    await vi.advanceTimersByTimeAsync(10_875);
    expect(mesh.sessions).toHaveLength(3);
  });

  test.each([4403, 4409])(
    "RC4 does not reconnect after %i, whatever its position",
    async (code) => {
      const mesh = new FakeMesh();
      const peer = mesh.connect();
      const session = mesh.welcomeNext(turn(1));
      await vi.advanceTimersByTimeAsync(MINUTE);
      session.send("disconnect", { reason: "", code: 1001, ...turn(0) });
      session.close(code);
      await vi.advanceTimersByTimeAsync(60 * MINUTE);
      expect(peer.state).toBe("closed");
      expect(mesh.sessions).toHaveLength(1);
    },
  );

  test("DR8 returns at its position after 4503, which does not count as a failure", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    for (let restarts = 0; restarts < 6; restarts++) {
      const session = mesh.welcomeNext(turn(1));
      session.send("disconnect", { reason: "the mesh is restarting", code: 1001, ...turn(200) });
      session.close(4503, "mesh_restarting: the mesh is restarting");
      await vi.advanceTimersByTimeAsync(pauses(mesh).at(-1) ?? 0);
    }
    expect(new Set(pauses(mesh))).toEqual(new Set([20_250]));
    expect(mesh.eventsOf("connecting").map(({ failures }) => failures)).toEqual(
      Array.from({ length: 7 }, () => 0),
    );
  });

  test("SK40 dials less and less often while the mesh lets no session begin, and is back soon after", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    for (let refused = 0; refused < 12; refused++) {
      mesh.lastSession.close(4503, "unavailable: a backup is being imported into this mesh");
      await vi.advanceTimersByTimeAsync(pauses(mesh).at(-1) ?? 0);
    }
    const seen = pauses(mesh);
    expect(seen.slice(0, 4)).toEqual([250, 500, 1_000, 2_000]);
    expect(seen.at(-1)).toBe(15_000);
    mesh.welcomeNext(turn(1)).close(4503, "mesh_restarting: the mesh is restarting");
    await vi.advanceTimersByTimeAsync(pauses(mesh).at(-1) ?? 0);
    expect(mesh.eventsOf("connecting").at(-1)).toMatchObject({ failures: 0 });
  });

  test("RC4 does not reconnect if it is closed while it waits", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.welcomeNext(turn(70)).close(1006);
    await vi.advanceTimersByTimeAsync(5_000);
    await peer.close();
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(mesh.sessions).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
