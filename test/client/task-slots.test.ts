import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NULL_JSON } from "../../src/base/json-text/json-text.ts";
import type { Connection } from "../../src/client/connection/connection.ts";
import type { Handler } from "../../src/client/work/handler.ts";
import { TaskRunner } from "../../src/client/work/task-runner.ts";
import { TASK_RESULT_BYTES_MAX } from "../../src/protocol/constants.ts";
import { FakeMesh, taskId } from "./fake-mesh.ts";
import { manual, type Call } from "./manual-handler.ts";
import { jsonText } from "../wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);
const attempt = (n: number, fence = 1) => ({ task_id: taskId(n), fence });

function joined(slots = 1, prefetch = false) {
  const mesh = new FakeMesh();
  const { calls, handler } = manual();
  const { peer, session } = mesh.join({ slots, prefetch, handlers: { work: handler } });
  return { mesh, peer, session, calls };
}

describe("a cancelled task", () => {
  test("WK1 frees its slot when its handler has settled, and not before", async () => {
    const { session, calls } = joined();
    session.offer({ task_id: taskId(1) });
    session.send("task_cancel", { ...attempt(1), reason: "" });
    session.offer({ task_id: taskId(2) });
    expect(session.payloads("task_accept")).toEqual([attempt(1)]);
    expect(session.payloads("task_refuse")).toEqual([{ ...attempt(2), reason: "no free slot" }]);
    calls[0]?.fail(new Error("stopped"));
    await settle();
    session.offer({ task_id: taskId(3) });
    expect(session.payloads("task_accept")).toEqual([attempt(1), attempt(3)]);
  });

  test("WK1 is reported when its handler has not settled after 5 s", async () => {
    const { mesh, session, calls } = joined(2);
    for (const n of [1, 2]) {
      session.offer({ task_id: taskId(n) });
      session.send("task_cancel", { ...attempt(n), reason: "" });
    }
    await vi.advanceTimersByTimeAsync(4_999);
    calls[0]?.finish(null);
    await vi.advanceTimersByTimeAsync(1);
    expect(mesh.eventsOf("handler_unsettled")).toEqual([
      { type: "handler_unsettled", taskId: taskId(2), kind: "work", unsettled: 1 },
    ]);
  });
});

describe("an attempt with a timeout", () => {
  test("WK3 fails when its handler has run for that long, whatever progress it reports", async () => {
    const { mesh, session, calls } = joined(1);
    session.offer({ task_id: taskId(1), lease_seconds: 3, attempt_timeout_seconds: 60 });
    const { context } = calls[0] as Call;
    for (let n = 1; n < 60; n++) {
      await vi.advanceTimersByTimeAsync(1_000);
      context.progress(n / 60);
    }
    expect(context.signal.aborted).toBe(false);
    expect(session.payloads("task_result")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    const error = "the attempt took longer than 60 s";
    expect(session.payloads("task_result")).toEqual([
      { ...attempt(1), ok: false, error, retry: true },
    ]);
    expect(context.signal.reason).toMatchObject({ name: "TimeoutError", message: error });
    await vi.advanceTimersByTimeAsync(100);
    session.confirm();
    expect(mesh.eventsOf("task_failed")).toMatchObject([{ error, retry: true }]);
    const sent = session.received.length;
    context.progress(1);
    calls[0]?.finish("too late");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(session.received).toHaveLength(sent);
  });

  test("WK3 counts from the start of the handler, not from the acceptance", async () => {
    const { session, calls } = joined(1, true);
    for (const n of [1, 2]) session.offer({ task_id: taskId(n), attempt_timeout_seconds: 10 });
    await vi.advanceTimersByTimeAsync(9_000);
    calls[0]?.finish(null);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(session.payloads("task_result")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(session.payloads("task_result")).toMatchObject([{ ok: true }, { ok: false }]);
  });

  test("WK3 has its own time when it continues the work of an older attempt", async () => {
    const { session } = joined(1);
    session.offer({ task_id: taskId(1), attempt_timeout_seconds: 10 });
    await vi.advanceTimersByTimeAsync(9_000);
    session.offer({ task_id: taskId(1), fence: 2, attempt_timeout_seconds: 10 });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(session.payloads("task_result")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(session.payloads("task_result")).toMatchObject([{ ...attempt(1, 2), ok: false }]);
  });

  test("WK3 that may take longer than a timer can wait is not ended by the peer", async () => {
    const { session, calls } = joined(1);
    session.offer({ task_id: taskId(1), attempt_timeout_seconds: 1e9, lease_seconds: 1e6 });
    await vi.advanceTimersByTimeAsync(1_000);
    calls[0]?.finish("done");
    await settle();
    expect(session.payloads("task_result")).toMatchObject([{ ok: true }]);
  });
});

describe("a peer whose handlers ignore their signal", () => {
  test.each([false, true])(
    "WK1 never runs more of them at once than it has slots, however many tasks are cancelled (prefetch: %s)",
    async (prefetch) => {
      const mesh = new FakeMesh();
      let [running, most, begun] = [0, 0, 0];
      const ignoring: Handler = async () => {
        begun++;
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        running--;
      };
      const { session } = mesh.join({ slots: 2, prefetch, handlers: { work: ignoring } });
      for (let n = 0; n < 30; n++) {
        session.offer({ task_id: taskId(n) });
        await vi.advanceTimersByTimeAsync(50);
        session.send("task_cancel", { ...attempt(n), reason: "changed my mind" });
        await vi.advanceTimersByTimeAsync(50);
      }
      await vi.advanceTimersByTimeAsync(5_000);
      expect(most).toBe(2);
      expect(begun).toBeGreaterThanOrEqual(4);
      session.offer({ task_id: taskId(99) });
      expect(session.payloads("task_accept").at(-1)).toEqual(attempt(99));
    },
  );
});

describe("a runner that drains", () => {
  function draining() {
    const { calls, handler } = manual();
    const sent: unknown[] = [];
    const runner = new TaskRunner({
      handlers: { work: handler },
      slots: 1,
      prefetch: true,
      now: Date.now,
      random: () => 0.5,
      inlineBytesMax: TASK_RESULT_BYTES_MAX,
      download: () => Promise.reject(new Error("no download")),
      upload: () => Promise.reject(new Error("no upload")),
      emit: () => {},
    });
    const connection: Connection = {
      send: (type, payload, _replyTo, onSent) => {
        sent.push([type, payload]);
        onSent?.();
        return `message ${sent.length}`;
      },
      close: () => Promise.resolve(),
    };
    runner.attach(connection);
    const offer = (n: number) =>
      runner.offer({
        ...attempt(n),
        kind: "work",
        payload: NULL_JSON,
        attempt: 1,
        lease_seconds: 30,
      });
    for (const n of [1, 2]) offer(n);
    sent.length = 0;
    let isDrained = false;
    const drained = runner.drain().then(() => (isDrained = true));
    /** The peer asks for confirmation, in its newest message, and the mesh gives it. */
    const confirm = async (): Promise<void> => {
      await vi.advanceTimersByTimeAsync(100);
      expect(sent.at(-1)).toMatchObject(["ping", { confirm: true }]);
      runner.pongReceived(`message ${sent.length}`);
    };
    return { confirm, runner, connection, calls, sent, offer, drained, isDrained: () => isDrained };
  }

  test("WK2 hands back what it has not started, and accepts nothing new", () => {
    const { sent, offer } = draining();
    const released = { reason: "the peer drains", begun: false };
    expect(sent).toEqual([["task_release", { ...attempt(2), ...released }]]);
    offer(3);
    expect(sent.at(-1)).toEqual(["task_release", { ...attempt(3), ...released }]);
  });

  test("WK2 is drained when the running handler has settled and the mesh has confirmed its result", async () => {
    const { calls, sent, isDrained, drained, confirm } = draining();
    await settle();
    calls[0]?.finish("done");
    await settle();
    expect(sent.at(-1)).toEqual([
      "task_result",
      { ...attempt(1), ok: true, result: jsonText("done") },
    ]);
    expect(isDrained()).toBe(false);
    await confirm();
    await drained;
  });

  test("WK2 is not drained while a cancelled handler still runs", async () => {
    const { runner, calls, isDrained, drained } = draining();
    runner.cancel({ ...attempt(1), reason: "" });
    await settle();
    expect(isDrained()).toBe(false);
    calls[0]?.finish(null);
    await drained;
  });

  test("WK2 that is disconnected is drained when the result was confirmed in its next session", async () => {
    const { runner, calls, connection, isDrained, drained, confirm } = draining();
    runner.detach();
    calls[0]?.finish(null);
    await settle();
    expect(isDrained()).toBe(false);
    runner.attach(connection);
    await confirm();
    await drained;
  });

  test("WK2 is drained at once when it is stopped", async () => {
    const { runner, drained } = draining();
    runner.stop("the peer closes");
    await drained;
  });
});
