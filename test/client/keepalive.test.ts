import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SECOND } from "../../src/base/clock.ts";
import { Keepalive } from "../../src/client/connection/keepalive.ts";
import { FakeMesh } from "./fake-mesh.ts";
import { NoiseMesh } from "./noise-mesh.ts";
import { waitFor } from "../wait-for.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** When a keepalive beats within five minutes, in milliseconds from its start. */
async function beats(random: () => number): Promise<readonly number[]> {
  const began = Date.now();
  const at: number[] = [];
  const keepalive = new Keepalive(random, () => void at.push(Date.now() - began));
  await vi.advanceTimersByTimeAsync(300 * SECOND);
  keepalive.stop();
  await vi.advanceTimersByTimeAsync(300 * SECOND);
  return at;
}

describe("the keepalive", () => {
  test("RC5 beats every 25 s at the latest and 20 s at the earliest, until it is stopped", async () => {
    expect(await beats(() => 0)).toEqual(Array.from({ length: 12 }, (_, n) => (n + 1) * 25_000));
    expect((await beats(() => 0.999_999_9)).slice(0, 2)).toEqual([20_000, 40_000]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("RC5 draws each pause anew, so that a fleet does not beat in unison", async () => {
    let n = 0;
    const at = await beats(() => (n++ % 5) / 5);
    const pauses = at.map((time, index) => time - (at[index - 1] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([25_000, 24_000, 23_000, 22_000, 21_000]);
  });
});

/** A peer that has joined by muster.2, whose handshake waits for WebCrypto and not only for timers. */
async function joined(mesh: NoiseMesh) {
  const peer = mesh.connect({ meshKey: mesh.keys.publicKey });
  await waitFor(() => expect(peer.state).toBe("active"));
  return peer;
}

describe("a muster.2 session", () => {
  test("RC5 is kept alive by a text that the mesh answers, and hears nothing else in it", async () => {
    const mesh = new NoiseMesh();
    const peer = await joined(mesh);
    await vi.advanceTimersByTimeAsync(300 * SECOND);
    expect(peer.state).toBe("active");
    expect(mesh.texts.length).toBeGreaterThanOrEqual(12);
    expect(new Set(mesh.texts)).toEqual(new Set(["ping"]));
    expect(mesh.events.map(({ type }) => type)).toEqual(["connecting", "ready"]);
    await peer.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("RC5 does not let a keepalive count as a message, nor change a sealed frame's place", async () => {
    const mesh = new NoiseMesh();
    const peer = await joined(mesh);
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 40; n++) peer.advertise([]);
      await vi.advanceTimersByTimeAsync(25 * SECOND);
    }
    expect(mesh.texts.length).toBeGreaterThanOrEqual(3);
    expect(peer.state).toBe("active");
    expect(mesh.events.filter(({ type }) => type === "frame_ignored")).toEqual([]);
    await peer.close();
  });

  test("RC5 ends when three answers in a row stay away", async () => {
    const mesh = new NoiseMesh();
    mesh.deaf = true;
    const peer = await joined(mesh);
    await vi.advanceTimersByTimeAsync(75 * SECOND);
    expect(mesh.texts.length).toBeGreaterThanOrEqual(2);
    expect(mesh.events).toContainEqual(
      expect.objectContaining({ type: "disconnected", code: 4408 }),
    );
    await peer.close();
  });

  test("ignores every other text", async () => {
    const mesh = new NoiseMesh();
    const peer = await joined(mesh);
    mesh.say("ping");
    mesh.say("{}");
    await waitFor(() =>
      expect(mesh.events.filter(({ type }) => type === "frame_ignored")).toHaveLength(2),
    );
    expect(peer.state).toBe("active");
    await peer.close();
  });
});

test("RC5 a go-p2p session sends no text after its handshake, and takes none", async () => {
  const mesh = new FakeMesh();
  const { peer, session } = mesh.join();
  await vi.advanceTimersByTimeAsync(60 * SECOND);
  session.text("pong");
  expect(session.socket.sent.slice(1).filter((frame) => typeof frame === "string")).toEqual([]);
  expect(mesh.eventsOf("frame_ignored")).toHaveLength(1);
  void peer.close();
});
