import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { Keepalive } from "../../src/client/connection/keepalive.ts";
import { FakeMesh } from "./fake-mesh.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The times at which a keepalive is sent within five minutes, in milliseconds from its start. */
async function sendTimes(random: () => number): Promise<readonly number[]> {
  const began = Date.now();
  const at: number[] = [];
  const keepalive = new Keepalive(random, () => void at.push(Date.now() - began));
  await vi.advanceTimersByTimeAsync(300 * SECOND);
  keepalive.stop();
  await vi.advanceTimersByTimeAsync(300 * SECOND);
  return at;
}

describe("the keepalive timer", () => {
  test("RC5 sends every 20 to 25 s until it is stopped", async () => {
    expect(await sendTimes(() => 0)).toEqual(
      Array.from({ length: 12 }, (_, n) => (n + 1) * 25_000),
    );
    expect((await sendTimes(() => 0.999_999_9)).slice(0, 2)).toEqual([20_000, 40_000]);
  });

  test("RC5 draws each delay anew, so that many peers do not send at the same moment", async () => {
    let n = 0;
    const at = await sendTimes(() => (n++ % 5) / 5);
    const pauses = at.map((time, index) => time - (at[index - 1] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([25_000, 24_000, 23_000, 22_000, 21_000]);
  });
});

/** A peer that has joined by muster.2. Its handshake awaits WebCrypto, not only timers. */
async function joined(mesh: NoiseMesh) {
  const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
  await waitFor(() => expect(peer.state).toBe("active"));
  return peer;
}

describe("a muster.2 session", () => {
  test("RC5 sends the keepalive text, which the mesh answers, and the answer has no other effect", async () => {
    const mesh = new NoiseMesh();
    const peer = await joined(mesh);
    await vi.advanceTimersByTimeAsync(300 * SECOND);
    expect(peer.state).toBe("active");
    expect(mesh.receivedTexts.length).toBeGreaterThanOrEqual(12);
    expect(new Set(mesh.receivedTexts)).toEqual(new Set(["ping"]));
    expect(mesh.events.map(({ type }) => type)).toEqual(["connecting", "ready"]);
    await peer.close();
    const sent = mesh.receivedTexts.length;
    await vi.advanceTimersByTimeAsync(300 * SECOND);
    expect(mesh.receivedTexts.length).toBe(sent);
  });

  test("RC5 counts a keepalive neither against the rate limit nor in the frame counter", async () => {
    const mesh = new NoiseMesh();
    const peer = await joined(mesh);
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 25; n++) peer.announce({ slots: 1 + n });
      await vi.advanceTimersByTimeAsync(25 * SECOND);
    }
    expect(mesh.receivedTexts.length).toBeGreaterThanOrEqual(3);
    expect(peer.state).toBe("active");
    expect(mesh.events.filter(({ type }) => type === "frame_ignored")).toEqual([]);
    await peer.close();
  });

  test("RC5 ends when three answers in a row are missing", async () => {
    const mesh = new NoiseMesh();
    mesh.ignoresKeepalives = true;
    const peer = await joined(mesh);
    await vi.advanceTimersByTimeAsync(75 * SECOND);
    expect(mesh.receivedTexts.length).toBeGreaterThanOrEqual(2);
    expect(mesh.events).toContainEqual(
      expect.objectContaining({ type: "disconnected", code: 4408 }),
    );
    await peer.close();
  });

  test("ignores any other text frame", async () => {
    const mesh = new NoiseMesh();
    const peer = await joined(mesh);
    mesh.sendText("ping");
    mesh.sendText("{}");
    await waitFor(() =>
      expect(mesh.events.filter(({ type }) => type === "frame_ignored")).toHaveLength(2),
    );
    expect(peer.state).toBe("active");
    await peer.close();
  });
});

test("RC5 a go-p2p session sends no text frames after its handshake, and ignores received ones", async () => {
  const mesh = new FakeMesh();
  const { peer, session } = mesh.join();
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  session.text("pong");
  expect(session.socket.sent.slice(1).filter((frame) => typeof frame === "string")).toEqual([]);
  expect(mesh.eventsOf("frame_ignored")).toHaveLength(1);
  void peer.close();
});
