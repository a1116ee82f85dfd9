import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { TaskView, type BatchView } from "../../src/protocol/http.ts";
import { awaitTaskEnd } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { call, problemOf, type Call, type Reply } from "./http.ts";

afterEach(async () => {
  await reset();
});

const give = (json: object, options: Call = {}): Promise<Reply<TaskView>> =>
  call<TaskView>("POST", "/v1/tasks", { json, ...options });

const keyed = (key: string): Call => ({ headers: { "Idempotency-Key": key } });

const taskCount = async (): Promise<number> =>
  (await call<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks.length;

describe("POST /v1/task-batches", () => {
  it("AS19 answers with the outcome of each task, in order; an invalid task makes the whole request invalid", async () => {
    const tasks = [{ kind: "a" }, { kind: "b", payload: "x".repeat(256 * 1_024) }, { kind: "c" }];
    const reply = await call<BatchView>("POST", "/v1/task-batches", { json: { tasks } });
    expect(reply.status).toBe(200);
    expect(reply.body.results).toMatchObject([
      { task: { kind: "a", state: "queued" }, duplicate: false },
      { error: { code: "payload_too_large", status: 413 } },
      { task: { kind: "c" } },
    ]);
    const faulty = await call("POST", "/v1/task-batches", { json: { tasks: [{ kind: "a" }, {}] } });
    expect(problemOf(faulty, "invalid_request").issues).toMatchObject([{ path: "tasks.1.kind" }]);
    expect(await taskCount()).toBe(2);
  });

  it("AS19 accepts 1 to 100 tasks, and creates none twice with one idempotency key", async () => {
    const send = (count: number) => {
      const tasks = Array.from({ length: count }, (_, n) => ({ kind: "n", payload: n }));
      return call<BatchView>("POST", "/v1/task-batches", { json: { tasks }, ...keyed("k") });
    };
    for (const count of [0, 101]) problemOf(await send(count), "invalid_request");
    const [first, second] = [await send(100), await send(100)];
    const idsOf = ({ body }: Reply<BatchView>) =>
      body.results.map((one) => "task" in one && one.task.id);
    expect(idsOf(second)).toEqual(idsOf(first));
    expect(new Set(idsOf(first)).size).toBe(100);
  });
});

describe("POST /v1/tasks", () => {
  it("AS1 answers 202 with the task and its Location", async () => {
    const { status, headers, body } = await give({ kind: "test" });
    expect(status).toBe(202);
    expect(headers.get("Location")).toBe(`/v1/tasks/${body.id}`);
    expect(TaskView.strict().safeParse(body).error).toBeUndefined();
    expect(body).toMatchObject({
      kind: "test",
      payload: null,
      state: "queued",
      source: "api",
      requirements: { capabilities: [] },
      priority: 0,
      max_attempts: 5,
      lease_seconds: 60,
      peer_id: null,
      attempts: [],
    });
    const shown = await call<TaskView>("GET", headers.get("Location") ?? "");
    expect(shown).toMatchObject({ status: 200, body });
  });

  it("AS1 stores every field of the request", async () => {
    const asked = {
      kind: "go-p2p/get_stats",
      payload: { deep: [[{ a: 1.5e-7 }]], text: "\u{1f309}", empty: {}, yes: true, none: null },
      requirements: {
        capabilities: ["gpu", "arch=arm64", "memory_gib>=16"],
        peer_id: "a".repeat(32),
        avoid: ["b".repeat(32)],
        role: "dual",
        min_score: 0.25,
        near: { latitude: -33.9, longitude: 18.4 },
      },
      backoff: { first_seconds: 0, max_seconds: 86_400 },
      priority: -100,
      max_attempts: 20,
      lease_seconds: 1.5,
    };
    const { body } = await give({ ...asked, deadline_seconds: 90 });
    expect(body).toMatchObject(asked);
    expect(Date.parse(body.deadline_at) - Date.parse(body.created_at)).toBe(90_000);
  });

  it.each([null, false, 0, -0.5, "", "text", [], {}, [[]]].map((payload) => [{ payload }]))(
    "AS1 accepts any JSON as a payload: %j",
    async ({ payload }) => {
      const { body } = await give({ kind: "test", payload });
      expect(body.payload).toEqual(payload);
    },
  );

  it("AS1 assigns the task to a peer, and shows its result", async () => {
    const peer = await GoPeer.join({ name: "worker 1" });
    const { body } = await give({ kind: "sum", payload: [1, 2] });
    const { payload: offer } = await peer.readType("task_offer");
    expect(offer).toMatchObject({ task_id: body.id, kind: "sum", payload: [1, 2], attempt: 1 });
    const { task_id, fence } = offer as { task_id: string; fence: number };
    peer.send("task_accept", { task_id, fence });
    peer.send("task_result", { task_id, fence, ok: true, result: 3 });
    const ended = await awaitTaskEnd(body.id);
    expect(TaskView.strict().safeParse(ended).error).toBeUndefined();
    expect(ended).toMatchObject({
      state: "succeeded",
      result: 3,
      progress: 1,
      peer_id: peer.keys.id,
      attempts: [{ peer_id: peer.keys.id, peer_name: "worker 1", state: "succeeded", error: null }],
    });
  });
});

describe("an idempotency key", () => {
  it("AS12 answers a repeated request with the first task", async () => {
    const { body: first } = await give({ kind: "test", payload: 1 }, keyed("once"));
    for (let i = 0; i < 3; i++) {
      const again = await give({ kind: "test", payload: 1 }, keyed("once"));
      expect([again.status, again.body]).toEqual([202, first]);
      expect(again.headers.get("Location")).toBe(`/v1/tasks/${first.id}`);
    }
    expect(await taskCount()).toBe(1);
  });

  it("AS12 creates one task from concurrent requests", async () => {
    const replies = await Promise.all(
      [1, 2, 3, 4, 5].map(() => give({ kind: "test" }, keyed("at-once"))),
    );
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    expect(await taskCount()).toBe(1);
  });

  it("AS12 treats a default like the same value in the request, in any order of fields", async () => {
    const { body } = await give({ kind: "test" }, keyed("same"));
    const spelled = { priority: 0, payload: null, max_attempts: 5, kind: "test" };
    expect((await give(spelled, keyed("same"))).body.id).toBe(body.id);
  });

  it.each([
    { payload: 2 },
    { kind: "other" },
    { priority: 1 },
    { requirements: { capabilities: ["gpu"] } },
    { deadline_seconds: 5 },
  ])("AS12 is refused with another request: %j", async (other) => {
    await give({ kind: "test", payload: 1 }, keyed("once"));
    const reply = await give({ kind: "test", payload: 1, ...other }, keyed("once"));
    problemOf(reply, "idempotency_mismatch");
    expect(await taskCount()).toBe(1);
  });

  it("AS12 differs by one character, and by case", async () => {
    const replies = [];
    for (const key of ["key", "Key", "key2", "k".repeat(255), "{}[]\"'\\~!"])
      replies.push(await give({ kind: "test" }, keyed(key)));
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(5);
  });

  it("AS12 answers with the task's current state", async () => {
    const { body } = await give({ kind: "test" }, keyed("once"));
    await call("DELETE", `/v1/tasks/${body.id}`);
    expect((await give({ kind: "test" }, keyed("once"))).body).toMatchObject({
      id: body.id,
      state: "cancelled",
    });
  });

  it("AS12 is not used by a request that is refused", async () => {
    problemOf(await give({ kind: "" }, keyed("once")), "invalid_request");
    expect((await give({ kind: "test" }, keyed("once"))).status).toBe(202);
  });

  it("AS12 is optional: without it, the same request twice creates two tasks", async () => {
    await give({ kind: "test" });
    await give({ kind: "test" });
    expect(await taskCount()).toBe(2);
  });
});

describe("DELETE /v1/tasks/:id", () => {
  it("AS11 cancels a task once", async () => {
    const { body } = await give({ kind: "test" });
    const cancelled = await call<TaskView>("DELETE", `/v1/tasks/${body.id}`);
    expect(cancelled).toMatchObject({ status: 200, body: { id: body.id, state: "cancelled" } });
    expect((await call("DELETE", `/v1/tasks/${body.id}`)).body).toEqual(cancelled.body);
  });

  it("AS11 sends the peer that runs the task a cancel message", async () => {
    const peer = await GoPeer.join();
    const { body } = await give({ kind: "test" });
    await peer.readType("task_offer");
    await call("DELETE", `/v1/tasks/${body.id}`);
    const { payload } = await peer.readType("task_cancel");
    expect(payload).toMatchObject({ task_id: body.id, fence: 1 });
  });

  it("AS11 does not cancel a task that has ended", async () => {
    const peer = await GoPeer.join();
    const { body } = await give({ kind: "test" });
    await peer.readType("task_offer");
    peer.send("task_result", { task_id: body.id, fence: 1, ok: true, result: null });
    await awaitTaskEnd(body.id);
    problemOf(await call("DELETE", `/v1/tasks/${body.id}`), "task_ended");
    expect((await call("GET", `/v1/tasks/${body.id}`)).body).toMatchObject({ state: "succeeded" });
  });
});
