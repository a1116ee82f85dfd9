import { describe, expect, test } from "vitest";
import type { Input } from "../../../src/contract/commands.ts";
import { SubmitTask } from "../../../src/protocol/http.ts";
import { present } from "../../must.ts";
import { KEYS, submission, TestMesh } from "../mesh.ts";

const [A, B] = KEYS;
const TRACE = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=value",
};
const OTHER = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00",
  tracestate: null,
};
const CALLBACK = {
  url: "https://receiver.example/done",
  secret: `whsec_${btoa("s".repeat(32))}`,
};
const SHORT = { kind: "echo", max_attempts: 1 };

const submit = (mesh: TestMesh, more: Parameters<typeof submission>[1] = { trace: TRACE }) =>
  mesh.run("submit_task", submission(SHORT, more)).task;

describe("the trace of a task", () => {
  test("TR5 is kept with it and shown, in lists without its state", () => {
    const mesh = new TestMesh();
    const task = submit(mesh);
    expect(mesh.task(task.id)).toMatchObject(TRACE);
    mesh.restart();
    expect(mesh.task(task.id)).toMatchObject(TRACE);
    const [listed] = mesh.run("list_tasks", { visibleTo: null, limit: 10 }).tasks;
    expect(listed).toMatchObject({ traceparent: TRACE.traceparent });
    expect(listed).not.toHaveProperty("tracestate");
    expect(submit(mesh, {})).toMatchObject({ traceparent: null, tracestate: null });
  });

  test("TR6 comes with each offer, also after a retry of the task; a task without one has no such fields", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(A);
    const { id } = submit(mesh);
    expect(peer.offer).toMatchObject(TRACE);
    peer.accept();
    peer.fail("no");
    mesh.run("retry_task", { id, visibleTo: null });
    expect(peer.offers).toHaveLength(2);
    expect(peer.offer).toMatchObject(TRACE);
    peer.accept();
    peer.finish(null);
    submit(mesh, { trace: OTHER });
    expect(peer.offer).toMatchObject({ traceparent: OTHER.traceparent });
    expect(peer.offer).not.toHaveProperty("tracestate");
    peer.accept();
    peer.finish(null);
    submit(mesh, {});
    expect(peer.offer).not.toHaveProperty("traceparent");
  });

  test("TR5 a repeated submission names another span and is the same request; the task keeps the trace of the first", () => {
    const mesh = new TestMesh();
    const idempotency = { key: "k", scope: "admin" };
    const first = submit(mesh, { trace: TRACE, idempotency });
    const again = mesh.run("submit_task", submission(SHORT, { trace: OTHER, idempotency }));
    expect(again).toMatchObject({ duplicate: true, task: { id: first.id, ...TRACE } });
  });

  test("TR1 is that of the request for all tasks of a batch", () => {
    const mesh = new TestMesh();
    const tasks = [SHORT, SHORT].map((task) => SubmitTask.parse(task));
    const batch = { tasks, source: "api", owner: "admin", idempotency: null, trace: TRACE };
    expect(mesh.run("submit_batch", batch).results).toMatchObject([
      { task: { traceparent: TRACE.traceparent } },
      { task: { traceparent: TRACE.traceparent } },
    ]);
  });

  test("TR1 is taken of a task that a peer submits over its session", () => {
    const mesh = new TestMesh();
    mesh.run("allow", {
      publicKey: A.publicKey,
      peerId: A.id,
      label: "",
      roles: ["controller"],
      readmit: false,
      go_p2p: false,
    });
    const controller = mesh.join(A, { protocol: "muster/2", claimedRole: "controller" });
    const input: Input<"assign_task"> = {
      peerId: A.id,
      epoch: controller.epoch,
      task: SubmitTask.parse(SHORT),
      key: null,
      trace: TRACE,
    };
    expect(mesh.run("assign_task", input).task).toMatchObject(TRACE);
  });

  test("TR7 is sent with each attempt of the task's callback", () => {
    const mesh = new TestMesh();
    const peer = mesh.join(B);
    const withCallback = submission({ ...SHORT, callback: CALLBACK }, { trace: TRACE });
    mesh.run("submit_task", withCallback);
    peer.accept();
    peer.finish(null);
    const claim = () => mesh.run("claim_callback", { inProgress: [], afterOwners: {} }).request;
    const { taskId, retries, attempt, headers } = present(claim());
    expect(headers).toMatchObject(TRACE);
    const answer = { status: 503, error: "no", retryAfter: null };
    mesh.run("callback_answered", { taskId, retries, attempt, answer });
    mesh.runFor(60_000);
    expect(present(claim()).headers).toMatchObject(TRACE);
  });

  test("TR8 counts in the bytes of its owner, also after a retry", () => {
    const mesh = new TestMesh();
    const bytesOf = (trace: typeof TRACE | null) => {
      const { id } = submit(mesh, { trace, owner: "somebody" });
      const bytes = (): number =>
        Number(mesh.sql.exec(`SELECT bytes FROM tasks WHERE id = ?`, id)[0]?.["bytes"]);
      const submitted = bytes();
      mesh.run("cancel_task", { id, visibleTo: null });
      mesh.run("retry_task", { id, visibleTo: null });
      expect(bytes()).toBe(submitted);
      return submitted;
    };
    const bytes = TRACE.traceparent.length + TRACE.tracestate.length;
    expect(bytesOf(TRACE)).toBe(bytesOf(null) + bytes);
  });
});
