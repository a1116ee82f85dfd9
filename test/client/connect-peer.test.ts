import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { FakeMesh, taskId } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("within a session", () => {
  test("a ping is answered by a pong that names it", () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack();
    const pingId = taskId(1);
    mesh.last.send("ping", { sentAt: 12.5 }, { id: pingId });
    expect(mesh.last.received).toMatchObject([
      {
        type: "pong",
        replyTo: pingId,
        from: peer.id,
        to: mesh.keys.id,
        payload: { sentAt: 12.5, receivedAt: Date.now() },
      },
    ]);
  });

  test("every message is later than the one before, though the clock stands still or goes back", () => {
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

  test("a replayed frame of the mesh is dropped", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    const ping = session.send("ping", { sentAt: 0 });
    session.frame(ping);
    expect(session.payloads("pong")).toHaveLength(1);
    expect(mesh.eventsOf("frame_ignored")).toMatchObject([{ reason: "the message is a replay" }]);
  });

  test("a frame of an earlier session, replayed in a later one, is dropped", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    const ping = session.send("ping", { sentAt: 0 });
    session.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    const later = mesh.welcomeNext();
    later.frame(ping);
    expect(later.payloads("pong")).toHaveLength(0);
  });

  test("a message from or to somebody else is dropped", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.send("ping", { sentAt: 0 }, { from: "0".repeat(32) });
    session.send("ping", { sentAt: 0 }, { to: "0".repeat(32) });
    expect(session.received).toHaveLength(0);
    expect(mesh.eventsOf("frame_ignored")).toHaveLength(2);
  });

  test("two unreadable frames are survived, the third drops the socket", () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.frame(platformRandom(80));
    session.frame(platformRandom(80));
    expect(peer.state).toBe("active");
    session.frame(platformRandom(80));
    expect(peer.state).toBe("waiting");
    expect(session.socket.closedWith).toEqual({ code: 4400 });
  });

  test("a message of an unknown type or an invalid payload changes nothing", () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.send("dance", null);
    session.send("task_offer", { task_id: "not a UUID" });
    expect(peer.state).toBe("active");
    expect(session.received).toHaveLength(0);
    expect(mesh.eventsOf("frame_ignored")).toHaveLength(2);
  });

  test("a second welcome changes nothing", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.welcome();
    expect(mesh.eventsOf("ready")).toHaveLength(1);
  });

  test("an error of the mesh reaches the program", () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.send("error", { code: 1004, message: "the lease is over" }, { replyTo: taskId(1) });
    expect(mesh.eventsOf("mesh_error")).toEqual([
      { type: "mesh_error", code: 1004, message: "the lease is over", replyTo: taskId(1) },
    ]);
  });

  test("a listener that throws does not break the session", async () => {
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
    const { peer } = mesh.join({
      onEvent: () => {
        throw failure;
      },
    });
    vi.unstubAllGlobals();
    expect(peer.state).toBe("active");
    expect(uncaught).toHaveBeenCalledWith(failure);
  });
});

describe("the peer dials again", () => {
  test("after the socket dropped, with a growing pause", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    for (let n = 0; n < 4; n++) {
      mesh.last.close(1006);
      await vi.advanceTimersByTimeAsync(mesh.eventsOf("disconnected").at(-1)?.retryInMs ?? -1);
    }
    expect(mesh.eventsOf("disconnected").map(({ retryInMs }) => retryInMs)).toEqual([
      250, 500, 1_000, 2_000,
    ]);
    expect(mesh.sessions).toHaveLength(5);
  });

  test("soon, once a session had lived for a minute", async () => {
    const mesh = new FakeMesh();
    mesh.connect();
    for (let n = 0; n < 3; n++) {
      mesh.last.close(1006);
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

  test("when the mesh says disconnect and leaves the closing to the peer", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join();
    session.send("disconnect", { reason: "a new version comes", code: 0 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(session.socket.closedWith).toEqual({ code: 1000 });
    expect(mesh.eventsOf("disconnected")).toMatchObject([{ reason: "a new version comes" }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(mesh.sessions).toHaveLength(2);
  });

  test("when the mesh has been silent for 75 s, and not while it says anything", async () => {
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

  test("and what the old socket says afterwards is not heard", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.send("disconnect", { reason: "", code: 0 });
    await vi.advanceTimersByTimeAsync(3_000);
    mesh.welcomeNext();
    session.close(4409, "superseded: a newer session took over");
    expect(peer.state).toBe("active");
  });

  test("and the silence of the old session does not end the new one", async () => {
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

  test("and the old session's goodbye does not end the new one", async () => {
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

describe("the peer stays away", () => {
  test.each([
    [4403, "revoked: the operator revoked this peer", "revoked"],
    [4403, "not_allowed: not on the allowlist", "not_allowed"],
    [4403, "", "not_allowed"],
    [4409, "superseded: a newer session took over", "superseded"],
  ])("after close %i %j, with the tagged error", async (code, reason, tag) => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.close(code, reason);
    expect(peer.state).toBe("closed");
    await expect(peer.closed).rejects.toMatchObject({ name: "PeerError", code: tag });
    await expect(peer.closed).rejects.toThrow(reason);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
  });

  test("after a goodbye that the mesh follows up with 4409", async () => {
    const mesh = new FakeMesh();
    const { peer, session } = mesh.join();
    session.send("disconnect", { reason: "a newer session began", code: 1001 });
    session.close(4409, "superseded: a newer session began");
    await expect(peer.closed).rejects.toMatchObject({ code: "superseded" });
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
  });

  test("after 4403 in place of a welcome, and ready says so", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.open();
    mesh.last.ack();
    mesh.last.close(4403, "not_allowed: not on the allowlist");
    await expect(peer.ready).rejects.toMatchObject({ code: "not_allowed" });
  });

  test("after its own close, having said goodbye", async () => {
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

  test("after its own close, though the mesh never answers the close", async () => {
    const mesh = new FakeMesh();
    const { peer } = mesh.join();
    const closing = peer.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
    expect(peer.state).toBe("closed");
  });

  test("when it is closed between two tries, and ready says that it was closed", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect();
    mesh.last.close(1006);
    expect(peer.state).toBe("waiting");
    await peer.close();
    await expect(peer.ready).rejects.toMatchObject({ code: "closed" });
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(mesh.sessions).toHaveLength(1);
  });

  test("when its program closes it from within an event", async () => {
    const mesh = new FakeMesh();
    const peer = mesh.connect({
      onEvent: ({ type }) => {
        if (type === "disconnected") void peer.close();
      },
    });
    mesh.last.close(1006);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(peer.state).toBe("closed");
    expect(mesh.sessions).toHaveLength(1);
  });
});
