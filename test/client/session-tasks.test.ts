import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import { SessionTasks } from "../../src/client/peer/session-tasks.ts";
import { PeerError } from "../../src/client/errors.ts";
import type { Connection } from "../../src/client/connection/connection.ts";
import { toGoP2pError, type MusterError } from "../../src/protocol/errors.ts";
import type { Json } from "../../src/base/json.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { aTaskView } from "../task-view.ts";
import { taskId } from "./fake-mesh.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Frames of peers that can't send larger ones. */
const MAX_FRAME = 10_000;

const shown = (state: TaskView["state"], result: Json = null) =>
  aTaskView({ id: taskId(1), state, result: exactJsonOf(result) });

/** Connections that record the messages sent through them. */
function assigning() {
  const tasks = new SessionTasks({
    url: "http://mesh.test",
    fetch: () => Promise.reject(new Error("no HTTP")),
    outageMs: 60_000,
    maxFrame: MAX_FRAME,
  });
  const said: { readonly type: string; readonly payload: unknown; readonly id: string }[] = [];
  const link: Connection = {
    send: (type, payload) => {
      const id = `message ${said.length}`;
      said.push({ type, payload, id });
      return id;
    },
    close: () => Promise.resolve(),
  };
  const refuse = (error: MusterError) =>
    tasks.errorReceived(toGoP2pError(error, 1), said.at(-1)?.id);
  const answer = (task: TaskView) => tasks.taskShown({ task }, said.at(-1)?.id);
  tasks.attach(link);
  return { tasks, said, link, refuse, answer };
}

/** Handles the rejection in advance, so that it is not reported as unhandled. */
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );
const settle = () => vi.advanceTimersByTimeAsync(0);

describe("a task submitted over a session", () => {
  test("SK45 names its trace beside the task", async () => {
    const { tasks, said, answer } = assigning();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const given = tasks.submit("echo", 1, { traceparent });
    expect(said[0]?.payload).toMatchObject({ task: { kind: "echo" }, traceparent });
    answer(shown("queued"));
    await given;
  });

  test("AS25 is submitted again in the next session under the same key, if this one ends before the answer", async () => {
    const { tasks, said, link, answer } = assigning();
    const given = tasks.submit("echo", 1);
    tasks.detach();
    tasks.attach(link);
    expect(said.map(({ type }) => type)).toEqual(["task_assign", "task_assign"]);
    expect(said[1]?.payload).toEqual(said[0]?.payload);
    answer(shown("queued"));
    expect((await given).id).toBe(taskId(1));
  });

  test("AS25 is submitted once there is a session", async () => {
    const { tasks, said, link, answer } = assigning();
    tasks.detach();
    const given = tasks.submit("echo");
    expect(said).toEqual([]);
    tasks.attach(link);
    answer(shown("queued"));
    await given;
  });

  test("AS25 is submitted again after a temporary error, and not after another one", async () => {
    const { tasks, said, refuse, answer } = assigning();
    const given = tasks.submit("echo");
    refuse({ code: "queue_full", detail: "full", retryAfter: 5 });
    await vi.advanceTimersByTimeAsync(4_900);
    expect(said).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(said).toHaveLength(2);
    answer(shown("queued"));
    await given;
    const denied = errorOf(tasks.submit("echo"));
    refuse({ code: "forbidden", detail: "no" });
    expect(await denied).toMatchObject({ code: "forbidden", status: 403, detail: "no" });
    expect(tasks.errorReceived(toGoP2pError({ code: "forbidden", detail: "" }, 1), "other")).toBe(
      false,
    );
  });

  test("AS25 is waited for until the mesh reports its end, or a query shows it", async () => {
    const { tasks, said, answer, link } = assigning();
    const waiting = tasks.wait(taskId(1));
    answer(shown("running"));
    await settle();
    tasks.taskShown({ task: shown("succeeded", 42) }, undefined);
    expect((await waiting).result).toBe(42);
    const again = tasks.wait(taskId(1));
    answer(shown("running"));
    await settle();
    tasks.detach();
    tasks.attach(link);
    await settle();
    expect(said.at(-1)?.type).toBe("task_query");
    answer(shown("failed"));
    expect((await again).state).toBe("failed");
  });

  test("AS25 is waited for no longer than the caller's timeout", async () => {
    const { tasks, answer } = assigning();
    const waiting = errorOf(tasks.wait(taskId(1), { timeoutMs: 3_000 }));
    answer(shown("running"));
    await vi.advanceTimersByTimeAsync(3_000);
    answer(shown("running"));
    expect(await waiting).toMatchObject({ code: "wait_timeout" });
    const abort = new AbortController();
    const aborted = errorOf(tasks.wait(taskId(1), { signal: abort.signal }));
    answer(shown("running"));
    await settle();
    abort.abort(new Error("enough"));
    expect(await aborted).toMatchObject({ message: "enough" });
  });

  test("AS25 fails as unreachable without an answer, and as closed when the peer is closed", async () => {
    const { tasks, said } = assigning();
    const silent = errorOf(tasks.get(taskId(1)));
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(await silent).toMatchObject({ code: "unreachable" });
    expect(said.length).toBeGreaterThan(1);
    const open = errorOf(tasks.wait(taskId(1)));
    tasks.stop(new PeerError("closed", "the peer is closed"));
    expect(await open).toMatchObject({ code: "closed" });
    expect(await errorOf(tasks.cancel(taskId(1)))).toMatchObject({ code: "closed" });
  });
});
