import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { OptionsError } from "../../src/client/errors.ts";
import type { Json } from "../../src/base/json.ts";
import { FakeMesh, taskId, type FakeSession } from "./fake-mesh.ts";
import { manual } from "./manual-handler.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);
const released = (n: number, begun: boolean, reason = "the peer leaves") => ({
  task_id: taskId(n),
  fence: 1,
  reason,
  begun,
});

/** A peer with one slot, one started task and one prefetched task. */
function busy() {
  const mesh = new FakeMesh();
  const { calls, handler } = manual();
  const { peer, session } = mesh.join({ slots: 1, handlers: { work: handler } });
  for (const n of [1, 2]) session.offer({ task_id: taskId(n) });
  return { mesh, calls, peer, session };
}

/** The peer asks for confirmation of its results; the mesh gives it. */
async function confirmNext(session: FakeSession): Promise<void> {
  await vi.advanceTimersByTimeAsync(100);
  session.confirm();
  await vi.advanceTimersByTimeAsync(1_000);
}

const typesOf = (received: readonly { readonly type: string }[]) =>
  received.map(({ type }) => type);

describe("drain()", () => {
  test("DR5 announces itself, hands back what is not started, and says goodbye when the rest has ended", async () => {
    const { peer, session, calls, mesh } = busy();
    const drained = peer.drain({ timeoutSeconds: 30, reason: "a deploy" });
    expect(session.payloads("drain")).toEqual([{ reason: "a deploy", timeout_seconds: 30 }]);
    expect(session.payloads("task_release")).toEqual([released(2, false, "the peer drains")]);
    expect(mesh.eventsOf("draining")).toMatchObject([{ by: "peer", timeoutMs: 30_000 }]);
    await settle();
    expect(session.payloads("disconnect")).toEqual([]);
    calls[0]?.finish("done");
    await confirmNext(session);
    await drained;
    expect(typesOf(session.received).slice(-3)).toEqual(["task_result", "ping", "disconnect"]);
    expect(peer.state).toBe("closed");
    await peer.closed;
  });

  test("DR6 an offer that comes while the peer drains is handed back at once", () => {
    const { peer, session, calls } = busy();
    void peer.drain();
    session.offer({ task_id: taskId(3) });
    expect(session.payloads("task_release").at(-1)).toEqual(released(3, false, "the peer drains"));
    expect(session.payloads("task_refuse")).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  test("DR5 releases what still runs at its limit, which a second call can only make earlier", async () => {
    const { peer, session, calls } = busy();
    void peer.drain({ timeoutSeconds: 60 });
    void peer.drain({ timeoutSeconds: 10 });
    void peer.drain({ timeoutSeconds: 600 });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(session.payloads("disconnect")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.payloads("task_release").at(-1)).toEqual(released(1, true));
    expect(session.received.at(-1)?.type).toBe("disconnect");
    expect(calls[0]?.context.signal.aborted).toBe(true);
  });

  test("DR5 goes on in the next session, to which the peer announces it, when the connection is lost", async () => {
    const { peer, session, calls, mesh } = busy();
    void peer.drain({ timeoutSeconds: 60 });
    session.close(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    mesh.lastSession.open();
    const { identity } = JSON.parse(String(mesh.lastSession.socket.sent[0])).payload as {
      identity: { muster: { slots: number } };
    };
    expect(identity.muster.slots).toBe(0);
    mesh.lastSession.ack();
    mesh.lastSession.welcome();
    expect(mesh.lastSession.payloads("drain")).toMatchObject([{ reason: "the peer leaves" }]);
    calls[0]?.finish("done");
    await confirmNext(mesh.lastSession);
    const last = typesOf(mesh.lastSession.received).slice(-3);
    expect(last).toEqual(["task_result", "ping", "disconnect"]);
  });

  test("closes at once when there is nothing to finish, also without a session", async () => {
    const idle = new FakeMesh().join();
    await Promise.all([idle.peer.drain(), vi.advanceTimersByTimeAsync(1_000)]);
    expect(idle.peer.state).toBe("closed");
    const unconnected = new FakeMesh().connect();
    await Promise.all([unconnected.drain(), vi.advanceTimersByTimeAsync(1_000)]);
    expect(unconnected.state).toBe("closed");
  });

  test.each([-1, Number.NaN, 1e9])("refuses a limit of %s s", (timeoutSeconds) => {
    const { peer } = new FakeMesh().join();
    expect(() => void peer.drain({ timeoutSeconds })).toThrow(OptionsError);
  });
});

describe("an operator's drain", () => {
  const order: Json = { reason: "the operator drains this peer", timeout_seconds: 30 };

  test("DR5 is followed like the peer's own", async () => {
    const { peer, session, calls, mesh } = busy();
    session.send("drain", order);
    expect(mesh.eventsOf("draining")).toMatchObject([{ by: "mesh", timeoutMs: 30_000 }]);
    expect(session.payloads("task_release")).toEqual([released(2, false, "the peer drains")]);
    calls[0]?.finish("done");
    await confirmNext(session);
    await peer.closed;
    expect(session.received.at(-1)?.type).toBe("disconnect");
  });

  test("DR2 a goodbye of the mesh to a drained peer ends the peer without an error", async () => {
    const { peer, session, mesh } = busy();
    session.close(1000, "drained: the operator drains this peer");
    await peer.closed;
    expect(mesh.eventsOf("closed")).toEqual([{ type: "closed", error: undefined }]);
  });
});

describe("close()", () => {
  test("DR5 releases what runs and what waits before it says goodbye", () => {
    const { peer, session, calls } = busy();
    void peer.close("stopped");
    expect(session.payloads("task_release")).toEqual([
      released(1, true, "stopped"),
      released(2, false, "stopped"),
    ]);
    expect(session.received.at(-1)?.type).toBe("disconnect");
    expect(calls[0]?.context.signal.aborted).toBe(true);
  });
});

describe("a task that waits for a slot", () => {
  test("AS17 goes back when the mesh asks for it, but not once it was begun", async () => {
    const { session, calls } = busy();
    session.send("task_return", { task_id: taskId(2), fence: 1 });
    expect(session.payloads("task_release")).toEqual([
      released(2, false, "another peer is free for it"),
    ]);
    session.offer({ task_id: taskId(3) });
    calls[0]?.finish("done");
    await settle();
    expect(calls).toHaveLength(2);
    session.send("task_return", { task_id: taskId(3), fence: 1 });
    session.send("task_return", { task_id: taskId(4), fence: 1 });
    expect(session.payloads("task_release")).toHaveLength(1);
    expect(calls[1]?.context.signal.aborted).toBe(false);
  });
});
