import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { FakeMesh, type FakeSession, taskId } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("an active go-p2p session", () => {
  test("answers a ping with a pong that refers to it", () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack();
    const pingId = taskId(1);
    mesh.lastSession.send("ping", { sentAt: 12.5 }, { id: pingId });
    expect(mesh.lastSession.received).toMatchObject([
      {
        type: "pong",
        replyTo: pingId,
        from: peer.id,
        to: mesh.keys.id,
        payload: { sentAt: 12.5, receivedAt: Date.now() },
      },
    ]);
  });

  test("sends strictly increasing timestamps, also when the clock stands still or is set back", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    for (let n = 0; n < 3; n++) session.send("ping", { sentAt: 0 });
    vi.setSystemTime(Date.now() - 60_000);
    session.send("ping", { sentAt: 0 });
    const times = session.received.map(({ ts }) => ts);
    expect(times).toHaveLength(4);
    expect(times).toEqual([...new Set(times)].toSorted());
    expect(new Set(session.received.map(({ id }) => id)).size).toBe(4);
  });

  test("drops a replayed frame of the mesh", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    const ping = session.send("ping", { sentAt: 0 });
    session.frame(ping);
    expect(session.payloads("pong")).toHaveLength(1);
    expect(mesh.eventsOf("frame_ignored")).toMatchObject([{ reason: "the message is a replay" }]);
  });

  test("drops a frame of an earlier session that is replayed in a later one", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    const ping = session.send("ping", { sentAt: 0 });
    session.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    const later = mesh.welcomeNext();
    later.frame(ping);
    expect(later.payloads("pong")).toHaveLength(0);
  });

  test("drops a message with another sender or addressee", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.send("ping", { sentAt: 0 }, { from: "0".repeat(32) });
    session.send("ping", { sentAt: 0 }, { to: "0".repeat(32) });
    expect(session.received).toHaveLength(0);
    expect(mesh.eventsOf("frame_ignored")).toHaveLength(2);
  });

  test("tolerates two unreadable frames and drops the socket at the third", () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.frame(platformRandom(80));
    session.frame(platformRandom(80));
    expect(peer.state).toBe("active");
    session.frame(platformRandom(80));
    expect(peer.state).toBe("waiting");
    expect(session.socket.closedWith).toEqual({ code: 4400 });
  });

  test("ignores a message of an unknown type or with an invalid payload", () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.send("dance", null);
    session.send("task_offer", { task_id: "not a UUID" });
    expect(peer.state).toBe("active");
    expect(session.received).toHaveLength(0);
    expect(mesh.eventsOf("frame_ignored")).toHaveLength(2);
  });

  test("ignores a second welcome", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.welcome();
    expect(mesh.eventsOf("ready")).toHaveLength(1);
  });

  test("reports an error of the mesh as an event", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.send("error", { code: 1004, message: "the lease is over" }, { replyTo: taskId(1) });
    expect(mesh.eventsOf("mesh_error")).toEqual([
      { type: "mesh_error", code: 1004, message: "the lease is over", replyTo: taskId(1) },
    ]);
  });

  test("survives an event listener that throws", async () => {
    const uncaught = vi.fn<(error: unknown) => void>();
    vi.stubGlobal("queueMicrotask", (task: () => void) => {
      try {
        task();
      } catch (error) {
        uncaught(error);
      }
    });
    const mesh = new FakeMesh();
    const failure = new Error("listener");
    let isThrowing = true;
    const { peer } = mesh.join({
      onEvent: () => {
        if (isThrowing) throw failure;
      },
    });
    isThrowing = false; // the peer is closed after the test
    vi.unstubAllGlobals();
    expect(peer.state).toBe("active");
    expect(uncaught).toHaveBeenCalledWith(failure);
  });
});

describe("a peer reconnects", () => {
  test("after the socket dropped, with growing delays", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    for (let n = 0; n < 4; n++) {
      mesh.lastSession.close(1006);
      await vi.advanceTimersByTimeAsync(mesh.eventsOf("disconnected").at(-1)?.retryInMs ?? -1);
    }
    expect(mesh.eventsOf("disconnected").map(({ retryInMs }) => retryInMs)).toEqual([
      250, 500, 1_000, 2_000,
    ]);
    expect(mesh.sessions).toHaveLength(5);
  });

  test("after a short delay if the session lasted a minute", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    for (let n = 0; n < 3; n++) {
      mesh.lastSession.close(1006);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    const session = mesh.welcomeNext();
    await vi.advanceTimersByTimeAsync(60_000);
    session.close(1006);
    expect(mesh.eventsOf("disconnected").at(-1)).toMatchObject({ retryInMs: 250 });
  });

  test.each([1000, 1001, 1006, 4400, 4401, 4408, 4429, 4503])(
    "after the mesh closed with %i",
    async (code) => {
      const mesh = new FakeMesh();
      const { session } = mesh.join();
      session.close(code);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(mesh.sessions).toHaveLength(2);
    },
  );

  test("when the mesh sends disconnect and does not close the socket", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.send("disconnect", { reason: "a new version comes", code: 0 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(session.socket.closedWith).toEqual({ code: 1000 });
    expect(mesh.eventsOf("disconnected")).toMatchObject([{ reason: "a new version comes" }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(mesh.sessions).toHaveLength(2);
  });

  test("when no frame arrived for 75 s, and not while frames arrive", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    for (let n = 0; n < 5; n++) {
      await vi.advanceTimersByTimeAsync(74_000);
      session.send("ping", { sentAt: 0 });
    }
    expect(peer.state).toBe("active");
    await vi.advanceTimersByTimeAsync(74_999);
    expect(peer.state).toBe("active");
    await vi.advanceTimersByTimeAsync(1);
    expect(peer.state).toBe("waiting");
    expect(session.socket.closedWith).toEqual({ code: 4408 });
  });

  test("and ignores later events of the old socket", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.send("disconnect", { reason: "", code: 0 });
    await vi.advanceTimersByTimeAsync(3_000);
    mesh.welcomeNext();
    session.close(4409, "superseded: a newer session took over");
    expect(peer.state).toBe("active");
  });

  test("and the watchdog of the old session does not end the new one", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    const later = mesh.welcomeNext();
    for (let n = 0; n < 3; n++) {
      await vi.advanceTimersByTimeAsync(30_000);
      later.send("ping", { sentAt: 0 });
    }
    expect(peer.state).toBe("active");
    expect(mesh.sessions).toHaveLength(2);
  });

  test("and the disconnect grace of the old session does not end the new one", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.send("disconnect", { reason: "a new version comes", code: 0 });
    session.close(1001);
    await vi.advanceTimersByTimeAsync(1_000);
    mesh.welcomeNext();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(peer.state).toBe("active");
    expect(mesh.sessions).toHaveLength(2);
  });

  test("when the platform refuses to open a socket", async () => {
    let refusals = 0;
    const mesh = new FakeMesh();
    const peer = mesh.connect({
      platform: {
        openSocket: () => {
          refusals++;
          throw new Error("mixed content");
        },
      },
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(peer.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refusals).toBeGreaterThan(2);
    await peer.close();
  });
});

/** Lets a session last for a minute: one that is superseded sooner has met another process with its key (RC7). */
async function keepAlive(session: FakeSession): Promise<void> {
  await vi.advanceTimersByTimeAsync(30_000);
  session.send("ping", { sentAt: 0 });
  await vi.advanceTimersByTimeAsync(30_000);
}

describe("a peer does not reconnect", () => {
  test.each([
    [4403, "revoked: the operator revoked this peer", "revoked"],
    [4403, "not_allowed: not on the allowlist", "not_allowed"],
    [4403, "", "not_allowed"],
    [4409, "superseded: a newer session took over", "superseded"],
  ])("after close code %i %j, and rejects with the matching error", async (code, reason, tag) => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    await keepAlive(session);
    session.close(code, reason);
    expect(peer.state).toBe("closed");
    await expect(peer.closed).rejects.toMatchObject({ name: "PeerError", code: tag });
    await expect(peer.closed).rejects.toThrow(reason);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
  });

  test("after a disconnect message that is followed by close code 4409", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    await keepAlive(session);
    session.send("disconnect", { reason: "a newer session began", code: 1001 });
    session.close(4409, "superseded: a newer session began");
    await expect(peer.closed).rejects.toMatchObject({ code: "superseded" });
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
  });

  test("after 4403 instead of a welcome, and ready rejects", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.open();
    mesh.lastSession.ack();
    mesh.lastSession.close(4403, "not_allowed: not on the allowlist");
    await expect(peer.ready).rejects.toMatchObject({ code: "not_allowed" });
  });

  test("after its own close, which sends disconnect", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    const closing = peer.close("enough");
    expect(session.payloads("disconnect")).toEqual([{ reason: "enough", code: 1000 }]);
    expect(session.socket.closedWith).toEqual({ code: 1000 });
    session.close(1000);
    await closing;
    await peer.closed;
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
    expect(mesh.eventsOf("closed")).toEqual([{ type: "closed", error: undefined }]);
  });

  test("after its own close, also if the mesh does not answer the closing handshake", async () => {
    const mesh = new FakeMesh();
    const { peer } = mesh.join();
    const closing = peer.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
    expect(peer.state).toBe("closed");
  });

  test("when it is closed while it waits to dial again, and ready rejects", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.lastSession.close(1006);
    expect(peer.state).toBe("waiting");
    await peer.close();
    await expect(peer.ready).rejects.toMatchObject({ code: "closed" });
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
  });

  test("when its program closes it in an event listener", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect({
      onEvent: ({ type }) => {
        if (type === "disconnected") void peer.close();
      },
    });
    mesh.lastSession.close(1006);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(peer.state).toBe("closed");
    expect(mesh.sessions).toHaveLength(1);
  });
});
