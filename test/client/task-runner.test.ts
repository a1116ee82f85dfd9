import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeMesh, taskId, type FakeSession } from "./fake-mesh.ts";
import { manual, type Call } from "./manual-handler.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);

function joined(slots = 1, prefetch = false) {
  const mesh = new FakeMesh();
  const { calls, handler } = manual();
  const { peer, session } = mesh.join({ slots, prefetch, handlers: { work: handler } });
  return { mesh, peer, session, calls };
}

async function reconnect(mesh: FakeMesh, session: FakeSession): Promise<FakeSession> {
  session.close(1006);
  await vi.advanceTimersByTimeAsync(1_000);
  return mesh.welcomeNext();
}

/** The peer asks for confirmation of its results, and the mesh gives it. */
async function confirm(session: FakeSession): Promise<void> {
  await vi.advanceTimersByTimeAsync(100);
  session.confirm();
}

const attempt = (n: number, fence = 1) => ({ task_id: taskId(n), fence });

describe("an offered task", () => {
  test("is accepted at once, and the handler of its kind is called", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 7, payload: { n: 1 }, attempt: 2 });
    expect(session.payloads("task_accept")).toEqual([attempt(1, 7)]);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.payload).toEqual({ n: 1 });
    expect(calls[0]?.context).toMatchObject({ taskId: taskId(1), kind: "work", attempt: 2 });
  });

  test("SK46 of a task with a trace gives the trace to the handler; what is no trace is left out", () => {
    const { session, calls } = joined(3);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    session.offer({ task_id: taskId(1), traceparent, tracestate: "vendor=value" });
    session.offer({ task_id: taskId(2) });
    session.offer({ task_id: taskId(3), traceparent: "a\nb", tracestate: 7 });
    expect(calls[0]?.context).toMatchObject({ traceparent, tracestate: "vendor=value" });
    for (const call of calls.slice(1)) {
      expect(call.context).not.toHaveProperty("traceparent");
      expect(call.context).not.toHaveProperty("tracestate");
    }
    expect(calls).toHaveLength(3);
  });

  test("of a kind without a handler is refused with the reason", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), kind: "paint" });
    expect(session.payloads("task_refuse")).toEqual([
      { ...attempt(1), reason: "no handler for paint" },
    ]);
    expect(calls).toHaveLength(0);
  });

  test.each(["toString", "constructor"])(
    "of the kind %s is refused: inherited properties are not handlers",
    (kind) => {
      const { session } = joined();
      session.offer({ task_id: taskId(1), kind });
      expect(session.payloads("task_refuse")).toHaveLength(1);
    },
  );

  test("of a kind without its own handler goes to the wildcard handler", async () => {
    const mesh = new FakeMesh();
    const { session } = mesh.join({
      slots: 2,
      handlers: { work: () => "own", "*": (_payload, { kind }) => kind },
    });
    session.offer({ task_id: taskId(1), kind: "paint" });
    session.offer({ task_id: taskId(2), kind: "work" });
    await settle();
    expect(session.payloads("task_result")).toMatchObject([{ result: "paint" }, { result: "own" }]);
  });

  test("beyond the free slots is refused, and accepted once a slot is free", async () => {
    const { session, calls } = joined(2);
    for (const n of [1, 2, 3]) session.offer({ task_id: taskId(n) });
    expect(session.payloads("task_accept")).toEqual([attempt(1), attempt(2)]);
    expect(session.payloads("task_refuse")).toEqual([{ ...attempt(3), reason: "no free slot" }]);
    calls[0]?.finish(null);
    await settle();
    session.offer({ task_id: taskId(3), fence: 2 });
    expect(session.payloads("task_accept")).toContainEqual(attempt(3, 2));
  });

  test("before the welcome is not answered", () => {
    const mesh = new FakeMesh();
    const { calls, handler } = manual();
    mesh.connect({ handlers: { work: handler } });
    mesh.lastSession.open();
    mesh.lastSession.ack();
    mesh.lastSession.offer({ task_id: taskId(1) });
    expect(mesh.lastSession.received).toHaveLength(0);
    expect(calls).toHaveLength(0);
  });

  test("that is offered twice is accepted twice, but runs once", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.offer({ task_id: taskId(1) });
    expect(session.payloads("task_accept")).toHaveLength(2);
    calls[0]?.finish("done");
    await settle();
    expect(calls).toHaveLength(1);
    expect(session.payloads("task_result")).toHaveLength(1);
  });

  test("under a newer fence continues the work that already runs", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 1 });
    session.offer({ task_id: taskId(1), fence: 4 });
    session.offer({ task_id: taskId(1), fence: 2 });
    calls[0]?.finish("done");
    await settle();
    expect(session.payloads("task_accept")).toEqual([attempt(1, 1), attempt(1, 4)]);
    expect(session.payloads("task_result")).toEqual([
      { ...attempt(1, 4), ok: true, result: "done" },
    ]);
  });
});

describe("a task beyond the slots of a peer that prefetches", () => {
  test("AS17 is accepted as queued, and starts when a slot is free, which the mesh is informed of", async () => {
    const { session, calls } = joined(1, true);
    for (const n of [1, 2, 3]) session.offer({ task_id: taskId(n) });
    expect(session.payloads("task_accept")).toEqual([attempt(1), { ...attempt(2), queued: true }]);
    expect(session.payloads("task_refuse")).toEqual([{ ...attempt(3), reason: "no free slot" }]);
    expect(calls).toHaveLength(1);
    calls[0]?.finish(null);
    await settle();
    expect(calls.map(({ context }) => context.taskId)).toEqual([taskId(1), taskId(2)]);
    expect(session.payloads("task_accept").at(-1)).toEqual(attempt(2));
  });

  test("AS17 renews its lease, as queued, until it starts", async () => {
    const { session, calls } = joined(1, true);
    session.offer({ task_id: taskId(1), lease_seconds: 300 });
    session.offer({ task_id: taskId(2), lease_seconds: 3 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress")).toEqual([{ ...attempt(2), queued: true }]);
    calls[0]?.finish(null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress").at(-1)).toEqual(attempt(2));
  });

  test("AS17 starts when the running task is cancelled, and not when it is cancelled itself", async () => {
    const { session, calls } = joined(1, true);
    for (const n of [1, 2]) session.offer({ task_id: taskId(n) });
    session.send("task_cancel", { ...attempt(2), reason: "another peer is free for it" });
    session.offer({ task_id: taskId(3) });
    session.send("task_cancel", { ...attempt(1), reason: "" });
    calls[0]?.finish(null);
    await settle();
    expect(calls.map(({ context }) => context.taskId)).toEqual([taskId(1), taskId(3)]);
  });

  test("AS17 is aborted when the session ends: the mesh reassigns it", async () => {
    const { mesh, session, calls } = joined(1, true);
    for (const n of [1, 2]) session.offer({ task_id: taskId(n) });
    const later = await reconnect(mesh, session);
    calls[0]?.finish(null);
    await settle();
    expect(calls).toHaveLength(1);
    expect(later.payloads("task_accept")).toEqual([]);
  });
});

describe("the end of an attempt", () => {
  test("is reported with the handler's result", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 3 });
    calls[0]?.finish({ sum: 5 });
    await settle();
    expect(session.payloads("task_result")).toEqual([
      { ...attempt(1, 3), ok: true, result: { sum: 5 } },
    ]);
    expect(mesh.eventsOf("task_succeeded")).toHaveLength(0);
    await confirm(session);
    expect(mesh.eventsOf("task_succeeded")).toHaveLength(1);
  });

  test("is reported with the error, when the handler throws", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    calls[0]?.fail(new Error("out of paper"));
    await settle();
    expect(session.payloads("task_result")).toEqual([
      { ...attempt(1), ok: false, error: "out of paper", retry: true },
    ]);
    await confirm(session);
    expect(mesh.eventsOf("task_failed")).toMatchObject([{ error: "out of paper", retry: true }]);
  });
});

describe("a cancelled task", () => {
  test("aborts the handler's signal, and nothing more is sent for it", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    const sentBefore = session.received.length;
    session.send("task_cancel", { ...attempt(1), reason: "no longer needed" });
    expect(calls[0]?.context.signal.aborted).toBe(true);
    expect(calls[0]?.context.signal.reason).toMatchObject({ message: "no longer needed" });
    calls[0]?.context.progress(0.5);
    calls[0]?.finish("too late");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(session.received).toHaveLength(sentBefore);
    expect(mesh.eventsOf("task_cancelled")).toMatchObject([{ reason: "no longer needed" }]);
    expect(mesh.eventsOf("task_succeeded")).toHaveLength(0);
  });

  test("is not the running attempt if the fence of the cancellation is older", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 5 });
    session.send("task_cancel", { ...attempt(1, 4), reason: "" });
    expect(calls[0]?.context.signal.aborted).toBe(false);
  });

  test("that is offered again is not ended by the old handler", async () => {
    const { session, calls } = joined(2);
    session.offer({ task_id: taskId(1), fence: 1 });
    session.send("task_cancel", { ...attempt(1, 1), reason: "" });
    session.offer({ task_id: taskId(1), fence: 2 });
    calls[0]?.finish("old");
    await settle();
    expect(session.payloads("task_result")).toHaveLength(0);
    calls[1]?.finish("new");
    await settle();
    expect(session.payloads("task_result")).toMatchObject([{ fence: 2, result: "new" }]);
  });

  test("is reported for every task when the peer closes", async () => {
    const { peer, session, calls } = joined(2);
    session.offer({ task_id: taskId(1) });
    session.offer({ task_id: taskId(2) });
    void peer.close();
    expect(calls.map(({ context }) => context.signal.aborted)).toEqual([true, true]);
  });

  test("is reported for every task when the mesh bars the peer", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.close(4403, "revoked: by the operator");
    expect(calls[0]?.context.signal.aborted).toBe(true);
  });
});

describe("while a handler runs", () => {
  test("the lease is renewed every third of its length, until the result", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), lease_seconds: 30 });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(session.payloads("task_progress")).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.payloads("task_progress")).toEqual([attempt(1)]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(session.payloads("task_progress")).toHaveLength(3);
    calls[0]?.finish(null);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.payloads("task_progress")).toHaveLength(3);
  });

  test("the lease of the newer attempt is renewed after it has taken over", async () => {
    const { session } = joined();
    session.offer({ task_id: taskId(1), fence: 1, lease_seconds: 300 });
    session.offer({ task_id: taskId(1), fence: 2, lease_seconds: 3 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress")).toEqual([attempt(1, 2)]);
  });

  test("delayed progress does not delay the renewal of a short lease", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), lease_seconds: 1 });
    calls[0]?.context.progress(0.1);
    calls[0]?.context.progress(0.2);
    await vi.advanceTimersByTimeAsync(334);
    expect(session.payloads("task_progress")).toEqual([
      { ...attempt(1), progress: 0.1 },
      { ...attempt(1), progress: 0.2 },
    ]);
  });

  test("progress is sent at most once a second, the newest last", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    await vi.advanceTimersByTimeAsync(5_000);
    const { context } = calls[0] as Call;
    for (let n = 1; n <= 9; n++) context.progress(n / 10);
    context.progress(undefined, "nearly there");
    expect(session.payloads("task_progress")).toEqual([{ ...attempt(1), progress: 0.1 }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress")).toEqual([
      { ...attempt(1), progress: 0.1 },
      { ...attempt(1), progress: 0.9, message: "nearly there" },
    ]);
  });

  test("progress out of range is clamped before it is sent", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    const { context } = calls[0] as Call;
    for (const [fraction, expected] of [
      [7, 1],
      [-1, 0],
      [Number.NaN, 0],
    ] as const) {
      await vi.advanceTimersByTimeAsync(1_000);
      context.progress(fraction, "x".repeat(600));
      expect(session.payloads("task_progress").at(-1)).toEqual({
        ...attempt(1),
        progress: expected,
        message: "x".repeat(500),
      });
    }
  });
});

describe("when the session ends", () => {
  test("running tasks continue, and their leases are renewed as soon as the peer has reconnected", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    const later = await reconnect(mesh, session);
    expect(calls[0]?.context.signal.aborted).toBe(false);
    expect(later.payloads("task_progress")).toEqual([attempt(1)]);
    calls[0]?.finish("done");
    await settle();
    expect(later.payloads("task_result")).toMatchObject([{ result: "done" }]);
  });

  test("a result of the meantime is sent after the reconnect, once", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.close(1006);
    calls[0]?.finish("made while away");
    await vi.advanceTimersByTimeAsync(1_000);
    const second = mesh.welcomeNext();
    expect(second.payloads("task_result")).toEqual([
      { ...attempt(1), ok: true, result: "made while away" },
    ]);
    await confirm(second);
    const third = await reconnect(mesh, second);
    expect(third.payloads("task_result")).toHaveLength(0);
  });

  test("a result that was not confirmed is sent again, as it may not have arrived", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    calls[0]?.finish("sent");
    await vi.advanceTimersByTimeAsync(29_000);
    const later = await reconnect(mesh, session);
    expect(later.payloads("task_result")).toMatchObject([{ result: "sent" }]);
  });

  test("a result that the mesh has confirmed is not sent again", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    calls[0]?.finish("sent");
    await confirm(session);
    const later = await reconnect(mesh, session);
    expect(later.payloads("task_result")).toHaveLength(0);
  });

  test("at least as many results are kept as the peer has slots", async () => {
    const { mesh, session, calls } = joined(70);
    for (let n = 0; n < 70; n++) session.offer({ task_id: taskId(n) });
    session.close(1006);
    for (const [n, call] of calls.entries()) call.finish(n);
    await vi.advanceTimersByTimeAsync(1_000);
    const results = mesh.welcomeNext().payloads("task_result") as { result: number }[];
    expect(results.map(({ result }) => result)).toEqual(Array.from({ length: 70 }, (_, n) => n));
  });
});
