import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { MESSAGE_LIMITS } from "../../src/protocol/message-limits.ts";
import { waitFor } from "../wait-for.ts";
import { NoiseMesh } from "./noise-mesh.ts";

const PEER_ID = "0a".repeat(16);
const RTTS = [{ peerId: PEER_ID, rttMs: 3 }];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A peer that has joined a mesh whose session has the limits by message type, as any has. */
async function joined() {
  const mesh = new NoiseMesh();
  const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
  await waitFor(() => expect(peer.state).toBe("active"));
  return { mesh, peer };
}

describe("a program that speaks too often", () => {
  test("RL24 does not end its peer's session, whatever it does and however long", async () => {
    const { mesh, peer } = await joined();
    for (let round = 0; round < 100; round++) {
      for (let n = 0; n < 5; n++) {
        peer.advertise([]);
        peer.reportRtts(RTTS);
        peer.announce({ slots: 1 + ((5 * round + n) % 200) });
      }
      await vi.advanceTimersByTimeAsync(2 * SECOND);
    }
    expect(peer.state).toBe("active");
    expect(mesh.exceedsLimits).toBe(false);
    expect(mesh.events.filter(({ type }) => type === "disconnected")).toEqual([]);
    await peer.close();
  });

  test("RL24 is told which adverts and reports were not sent", async () => {
    const { mesh, peer } = await joined();
    const sent = (say: () => boolean) => Array.from({ length: 10 }, say).filter(Boolean).length;
    expect(sent(() => peer.advertise([]))).toBe(MESSAGE_LIMITS.advert.max);
    expect(sent(() => peer.reportRtts(RTTS))).toBe(MESSAGE_LIMITS.rtts.max);
    await vi.advanceTimersByTimeAsync(MESSAGE_LIMITS.advert.per);
    expect(peer.advertise([])).toBe(true);
    expect(peer.reportRtts(RTTS)).toBe(true);
    expect(mesh.exceedsLimits).toBe(false);
    await peer.close();
  });

  test("RL24 has its newest announcement at the mesh a moment later, each change with it", async () => {
    const { mesh, peer } = await joined();
    peer.announce({ capabilities: ["gpu"] });
    for (let slots = 1; slots <= 60; slots++) peer.announce({ slots });
    peer.announce({ prefetch: false });
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    const announced = Object.assign({}, ...mesh.announced) as object;
    expect(announced).toEqual({ capabilities: ["gpu"], slots: 60, prefetch: false });
    expect(mesh.announced.length).toBeLessThanOrEqual(MESSAGE_LIMITS.announce.max + 2);
    await peer.close();
  });

  test("RL24 announces in the next session what it could not announce in the last one", async () => {
    const { mesh, peer } = await joined();
    for (let slots = 1; slots <= 60; slots++) peer.announce({ slots });
    mesh.dropSocket();
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    await waitFor(() => expect(peer.state).toBe("active"));
    expect(mesh.admitted.at(-1)?.slots).toBe(60);
    await peer.close();
  });
});
