import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../../src/base/json.ts";
import type { Handler, TaskContext } from "../../src/client/work/handler.ts";
import { FakeMesh, taskId, type FakeSession } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);

interface Call {
  readonly payload: Json;
  readonly context: TaskContext;
  readonly finish: (result: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** A handler whose every call the test ends by hand. */
function manual(): { readonly calls: Call[]; readonly handler: Handler<Json> } {
  const calls: Call[] = [];
  const handler: Handler<Json> = (payload, context) => {
    const { promise, resolve: finish, reject: fail } = Promise.withResolvers<unknown>();
    calls.push({ payload, context, finish, fail });
    return promise;
  };
  return { calls, handler };
}

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

const attempt = (n: number, fence = 1) => ({ task_id: taskId(n), fence });

describe("an offer", () => {
  test("is accepted at once and handed to the handler of its kind", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 7, payload: { n: 1 }, attempt: 2 });
    expect(session.payloads("task_accept")).toEqual([attempt(1, 7)]);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.payload).toEqual({ n: 1 });
    expect(calls[0]?.context).toMatchObject({ taskId: taskId(1), kind: "work", attempt: 2 });
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
    "of the kind %s is refused, as no object has it of its own",
    (kind) => {
      const { session } = joined();
      session.offer({ task_id: taskId(1), kind });
      expect(session.payloads("task_refuse")).toHaveLength(1);
    },
  );

  test("of any kind goes to the wildcard handler when no other fits", async () => {
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

  test("beyond the free slots is refused, and accepted once one is free", async () => {
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
    mesh.last.open();
    mesh.last.ack();
    mesh.last.offer({ task_id: taskId(1) });
    expect(mesh.last.received).toHaveLength(0);
    expect(calls).toHaveLength(0);
  });

  test("that is repeated is accepted again, but the work is done once", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.offer({ task_id: taskId(1) });
    expect(session.payloads("task_accept")).toHaveLength(2);
    calls[0]?.finish("done");
    await settle();
    expect(calls).toHaveLength(1);
    expect(session.payloads("task_result")).toHaveLength(1);
  });

  test("of a newer attempt takes over the work that already runs", async () => {
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
  test("AS17 is accepted as queued, and begins when a slot is free: the mesh is told", async () => {
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

  test("AS17 keeps its lease, as queued, until it begins", async () => {
    const { session, calls } = joined(1, true);
    session.offer({ task_id: taskId(1), lease_seconds: 300 });
    session.offer({ task_id: taskId(2), lease_seconds: 3 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress")).toEqual([{ ...attempt(2), queued: true }]);
    calls[0]?.finish(null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress").at(-1)).toEqual(attempt(2));
  });

  test("AS17 begins when the one ahead of it is cancelled, and never when it is itself", async () => {
    const { session, calls } = joined(1, true);
    for (const n of [1, 2]) session.offer({ task_id: taskId(n) });
    session.send("task_cancel", { ...attempt(2), reason: "another peer is free for it" });
    session.offer({ task_id: taskId(3) });
    session.send("task_cancel", { ...attempt(1), reason: "" });
    await settle();
    expect(calls.map(({ context }) => context.taskId)).toEqual([taskId(1), taskId(3)]);
  });

  test("AS17 is dropped when the socket is: the mesh gives it to another", async () => {
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
  test("is told with what the handler returned", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 3 });
    calls[0]?.finish({ sum: 5 });
    await settle();
    expect(session.payloads("task_result")).toEqual([
      { ...attempt(1, 3), ok: true, result: { sum: 5 } },
    ]);
    expect(mesh.eventsOf("task_succeeded")).toHaveLength(1);
  });

  test("is told with the error, when the handler throws", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    calls[0]?.fail(new Error("out of paper"));
    await settle();
    expect(session.payloads("task_result")).toEqual([
      { ...attempt(1), ok: false, error: "out of paper", retry: true },
    ]);
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

  test("frees its slot", () => {
    const { session } = joined();
    session.offer({ task_id: taskId(1) });
    session.send("task_cancel", { ...attempt(1), reason: "" });
    session.offer({ task_id: taskId(2) });
    expect(session.payloads("task_accept")).toEqual([attempt(1), attempt(2)]);
  });

  test("is another one, when the fence is older than the attempt that runs", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1), fence: 5 });
    session.send("task_cancel", { ...attempt(1, 4), reason: "" });
    expect(calls[0]?.context.signal.aborted).toBe(false);
  });

  test("and offered anew is not ended by the old handler's end", async () => {
    const { session, calls } = joined();
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

  test("is every task, when the peer closes", async () => {
    const { peer, session, calls } = joined(2);
    session.offer({ task_id: taskId(1) });
    session.offer({ task_id: taskId(2) });
    void peer.close();
    expect(calls.map(({ context }) => context.signal.aborted)).toEqual([true, true]);
  });

  test("is every task, when the mesh sends the peer away", () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.close(4403, "revoked: by the operator");
    expect(calls[0]?.context.signal.aborted).toBe(true);
  });
});

describe("while a handler runs", () => {
  test("the lease is renewed each third of its length, until the result", async () => {
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

  test("the lease of the attempt that took over is the one that is renewed", async () => {
    const { session } = joined();
    session.offer({ task_id: taskId(1), fence: 1, lease_seconds: 300 });
    session.offer({ task_id: taskId(1), fence: 2, lease_seconds: 3 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_progress")).toEqual([attempt(1, 2)]);
  });

  test("progress that is held back does not delay the renewal of a short lease", async () => {
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

  test("its progress is told at most once a second, the newest last", async () => {
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

  test("progress out of range is put right before it is told", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    const { context } = calls[0] as Call;
    for (const [fraction, told] of [
      [7, 1],
      [-1, 0],
      [Number.NaN, 0],
    ] as const) {
      await vi.advanceTimersByTimeAsync(1_000);
      context.progress(fraction, "x".repeat(600));
      expect(session.payloads("task_progress").at(-1)).toEqual({
        ...attempt(1),
        progress: told,
        message: "x".repeat(500),
      });
    }
  });
});

describe("when the socket drops", () => {
  test("the work goes on, and its lease is renewed as soon as the peer is back", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    const later = await reconnect(mesh, session);
    expect(calls[0]?.context.signal.aborted).toBe(false);
    expect(later.payloads("task_progress")).toEqual([attempt(1)]);
    calls[0]?.finish("done");
    await settle();
    expect(later.payloads("task_result")).toMatchObject([{ result: "done" }]);
  });

  test("a result made meanwhile is sent once the peer is back, and once only", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.close(1006);
    calls[0]?.finish("made while away");
    await vi.advanceTimersByTimeAsync(1_000);
    const second = mesh.welcomeNext();
    expect(second.payloads("task_result")).toEqual([
      { ...attempt(1), ok: true, result: "made while away" },
    ]);
    await vi.advanceTimersByTimeAsync(31_000);
    const third = await reconnect(mesh, second);
    expect(third.payloads("task_result")).toHaveLength(0);
  });

  test("a result sent just before is sent again, as it may not have arrived", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    calls[0]?.finish("sent");
    await vi.advanceTimersByTimeAsync(29_000);
    const later = await reconnect(mesh, session);
    expect(later.payloads("task_result")).toMatchObject([{ result: "sent" }]);
  });

  test("a result sent long before is not sent again", async () => {
    const { mesh, session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    calls[0]?.finish("sent");
    await vi.advanceTimersByTimeAsync(30_000);
    const later = await reconnect(mesh, session);
    expect(later.payloads("task_result")).toHaveLength(0);
  });

  test("no more than 64 results wait for the peer's return, the oldest give way", async () => {
    const { mesh, session, calls } = joined(70);
    for (let n = 0; n < 70; n++) session.offer({ task_id: taskId(n) });
    session.close(1006);
    for (const [n, call] of calls.entries()) call.finish(n);
    await vi.advanceTimersByTimeAsync(1_000);
    const results = mesh.welcomeNext().payloads("task_result") as { result: number }[];
    expect(results.map(({ result }) => result)).toEqual(
      Array.from({ length: 64 }, (_, n) => n + 6),
    );
  });
});
