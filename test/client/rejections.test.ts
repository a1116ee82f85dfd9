import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A peer that the mesh has rejected with this `retry_after`, and how long it waits. */
async function rejected(code: string, closeCode: number, retryAfter: number | undefined) {
  const mesh = new FakeMesh();
  const peer = mesh.connect();
  mesh.lastSession.open();
  mesh.lastSession.ack();
  const later = retryAfter === undefined ? undefined : { retry_after: retryAfter };
  mesh.lastSession.send("rejection", { code, reason: "not now", ...later });
  mesh.lastSession.close(closeCode, `${code}: not now`);
  await vi.advanceTimersByTimeAsync(0);
  return { mesh, peer, pause: mesh.eventsOf("disconnected").at(-1)?.retryInMs ?? Number.NaN };
}

describe("a peer that is rejected", () => {
  const CODES = [
    ["mesh_full", 4429],
    ["storage_full", 4429],
    ["unavailable", 4503],
    ["code_of_tomorrow", 4499],
  ] as const;

  test.each(CODES)(
    "RC25 with %s and retry_after waits for that, and the ordinary pause",
    async (code, close) => {
      const { mesh, peer, pause } = await rejected(code, close, 60);
      expect(pause).toBeGreaterThanOrEqual(60 * SECOND);
      expect(pause).toBeLessThanOrEqual(60.5 * SECOND);
      await vi.advanceTimersByTimeAsync(60 * SECOND - 1);
      expect(mesh.sessions).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(SECOND);
      expect(mesh.sessions).toHaveLength(2);
      void peer.close();
    },
  );

  test.each(CODES)(
    "RC25 with %s and no retry_after waits for the ordinary pause",
    async (code, close) => {
      const { peer, pause } = await rejected(code, close, undefined);
      expect(pause).toBeLessThanOrEqual(SECOND / 2);
      void peer.close();
    },
  );

  test.each([86_400, -1, 1e300])(
    "RC25 waits no longer than 5 min because of a retry_after of %s",
    async (value) => {
      const { peer, pause } = await rejected("mesh_full", 4429, value);
      expect(pause).toBeGreaterThanOrEqual(5 * MINUTE);
      expect(pause).toBeLessThanOrEqual(5 * MINUTE + SECOND / 2);
      void peer.close();
    },
  );

  test("RC25 waits once: the pause after the next end is the ordinary one", async () => {
    const { mesh, peer, pause } = await rejected("mesh_full", 4429, 60);
    await vi.advanceTimersByTimeAsync(pause);
    mesh.lastSession.open();
    mesh.lastSession.ack();
    mesh.lastSession.close(1006);
    expect(mesh.eventsOf("disconnected").at(-1)?.retryInMs).toBeLessThanOrEqual(SECOND);
    void peer.close();
  });
});

describe("a peer that the mesh does not welcome", () => {
  test("RC26 drops the connection after 20 s, also while frames come, and dials again", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack();
    for (let second = 0; second < 19; second++) {
      await vi.advanceTimersByTimeAsync(SECOND);
      mesh.lastSession.send("ping", { sentAt: Date.now() });
    }
    expect(mesh.eventsOf("disconnected")).toEqual([]);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(mesh.eventsOf("disconnected")).toMatchObject([
      { code: 4408, reason: "no welcome from the mesh within the timeout" },
    ]);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(mesh.sessions).toHaveLength(2);
    void peer.close();
  });

  test("RC26 keeps a session that was welcomed", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    for (let count = 0; count < 4; count++) {
      await vi.advanceTimersByTimeAsync(15 * SECOND);
      session.send("ping", { sentAt: Date.now() });
    }
    expect(mesh.eventsOf("disconnected")).toEqual([]);
    void peer.close();
  });
});
