import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeMesh } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SUPERSEDED = "superseded: a newer session of this peer began";
const REFUSED = "key_in_use: another process uses this key";

describe("a peer whose key another process uses", () => {
  test("RC7 that is superseded soon after its welcome says so, and tries again after a growing pause", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.close(4409, SUPERSEDED);
    expect(mesh.eventsOf("key_in_use")).toMatchObject([{ retryInMs: 5_000 }]);
    expect(mesh.eventsOf("key_in_use")[0]?.reason).toContain(SUPERSEDED);
    expect(peer.state).toBe("waiting");
    for (let n = 0; n < 7; n++) {
      await vi.advanceTimersByTimeAsync(mesh.eventsOf("key_in_use").at(-1)?.retryInMs ?? 0);
      expect(mesh.sessions).toHaveLength(n + 2);
      mesh.welcomeNext().close(4409, SUPERSEDED);
    }
    const pauses = mesh.eventsOf("key_in_use").map(({ retryInMs }) => retryInMs / 1_000);
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
    expect(mesh.eventsOf("disconnected")).toEqual([]);
    await peer.close();
  });

  test("RC7 that the mesh refuses waits for at least as long as the mesh asks", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack();
    mesh.lastSession.send("rejection", { code: "key_in_use", reason: REFUSED, retry_after: 70 });
    mesh.lastSession.close(4429, REFUSED);
    expect(mesh.eventsOf("key_in_use")).toMatchObject([{ reason: REFUSED, retryInMs: 70_000 }]);
    expect(mesh.eventsOf("rejected")).toEqual([]);
    await vi.advanceTimersByTimeAsync(70_000);
    mesh.lastSession.open();
    mesh.lastSession.ack();
    mesh.lastSession.close(4429, REFUSED);
    expect(mesh.eventsOf("key_in_use").at(-1)).toMatchObject({ retryInMs: 10_000 });
    await peer.close();
  });

  test("RC7 begins with the first pause again after a session that lasted", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.close(4409, SUPERSEDED);
    await vi.advanceTimersByTimeAsync(5_000);
    const lasting = mesh.welcomeNext();
    await vi.advanceTimersByTimeAsync(60_000);
    lasting.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    mesh.welcomeNext().close(4409, SUPERSEDED);
    expect(mesh.eventsOf("key_in_use").at(-1)).toMatchObject({ retryInMs: 5_000 });
    await peer.close();
  });
});
