import { describe, expect, test } from "vitest";
import { SPAN_QUEUE_MAX } from "../../../src/coordinator/tracing/queue-spans.ts";
import type { LogEntry } from "../../../src/base/log/log-events.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";

const [A] = KEYS;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const trace = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: null };
const callback = { url: "https://receiver.example:8443/done?key=5ecret" };

const logged = (mesh: TestMesh): readonly LogEntry[] =>
  mesh.effectsOfType("log").map(({ entry }) => entry);

describe("what the coordinator logs", () => {
  test("TR24 a task that fails has one line, with the trace ID of its spans", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const body = { kind: "echo", payload: "5ecret", max_attempts: 1 } as const;
    const { id } = mesh.run("submit_task", submission(body, { trace })).task;
    peer.accept();
    peer.fail("5ecret");
    expect(mesh.task(id).state).toBe("failed");
    expect(logged(mesh)).toEqual([
      {
        event: "task.failed",
        values: { task: id, kind: "echo", trace: TRACE, state: "failed", attempts: 1 },
      },
    ]);
  });

  test("TR24 a task without a traceparent has its own ID as the trace ID, and one that succeeds has no line", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    mesh.run("submit_task", submission({ kind: "echo" }));
    peer.accept();
    peer.finish("done");
    expect(logged(mesh)).toEqual([]);
    const { id } = mesh.run("submit_task", submission({ kind: "other", deadline_seconds: 1 })).task;
    mesh.runFor(2_000);
    expect(logged(mesh)).toMatchObject([
      {
        event: "task.failed",
        values: { task: id, state: "expired", trace: id.replaceAll("-", "") },
      },
    ]);
  });

  test("TR24 a callback that is given up has one line, which names only the host of its receiver", () => {
    const mesh = new TestMesh();
    const { id } = mesh.run("submit_task", submission({ kind: "echo", callback }, { trace })).task;
    mesh.run("cancel_task", { id, visibleTo: null });
    const { request } = mesh.run("claim_callback", { inProgress: [], afterOwners: {} });
    const { taskId, retries, attempt } = present(request);
    const answer = { status: 410, error: "HTTP 410", retryAfter: null };
    mesh.run("callback_answered", { taskId, retries, attempt, answer });
    const lines = logged(mesh);
    expect(lines).toEqual([
      {
        event: "callback.given_up",
        values: {
          task: id,
          kind: "echo",
          trace: TRACE,
          host: "receiver.example:8443",
          attempts: 1,
          status: 410,
        },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain("5ecret");
  });

  test("MT20 spans that are dropped are logged with the reason", () => {
    const tracing = { sample: 1, meshName: "lab", meshId: "0".repeat(32) };
    const mesh = new TestMesh({ config: { tracing } });
    for (let n = 0; n < SPAN_QUEUE_MAX; n++)
      mesh.registry.spanQueue.add({ taskId: `${n}`, retries: 0, part: "task", at: mesh.now });
    const { id } = mesh.run("submit_task", submission({ kind: "echo" })).task;
    mesh.run("cancel_task", { id, visibleTo: null });
    expect(logged(mesh)).toEqual([
      { event: "spans.dropped", values: { reason: "queue_full", count: 1 } },
    ]);
  });

  test("TR24 a command that is refused logs nothing", () => {
    const mesh = new TestMesh();
    const unknown = "3f0c3c1e-6f0e-4b59-a4f5-4f4b5b6f0b1d";
    mesh.errorOf("cancel_task", { id: unknown, visibleTo: null });
    expect(logged(mesh)).toEqual([]);
  });
});
