import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { submitTask } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { call, callWith, problemOf } from "./http.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

/** Far longer than a test may take: a poll that is not woken fails by the test's timeout. */
const LONG = 60;

interface Poll {
  answered: boolean;
  readonly task: Promise<TaskView>;
}

function poll(id: string): Poll {
  const reply = call<TaskView>("GET", `/v1/tasks/${id}?wait=${LONG}`);
  const polling: Poll = {
    answered: false,
    task: reply.then(({ status, body }) => {
      polling.answered = true;
      expect(status).toBe(200);
      return body;
    }),
  };
  return polling;
}

/** Reads the offer of a task and accepts it. */
async function accept(peer: GoPeer): Promise<{ task_id: string; fence: number }> {
  const { payload } = await peer.readType("task_offer");
  const { task_id, fence } = payload as { task_id: string; fence: number };
  peer.send("task_accept", { task_id, fence });
  return { task_id, fence };
}

describe("a long poll", () => {
  it("HT6 answers when the task ends, and not before", async () => {
    const peer = await GoPeer.join();
    const { id } = await submitTask("test", null);
    const waiting = poll(id);
    const attempt = await accept(peer);
    peer.send("task_progress", { ...attempt, progress: 0.5 });
    peer.send("ping", { sentAt: 1 });
    // The pong follows the progress, so the poll had the opportunity to answer too early.
    await peer.readType("pong");
    await call("GET", `/v1/tasks/${id}`);
    expect(waiting.answered).toBe(false);
    peer.send("task_result", { ...attempt, ok: true, result: { sum: 3 } });
    expect(await waiting.task).toMatchObject({ id, state: "succeeded", result: { sum: 3 } });
  });

  it("HT6 answers all waiting callers", async () => {
    const peer = await GoPeer.join();
    const { id } = await submitTask("test", null);
    const waiting = [poll(id), poll(id), poll(id)];
    const attempt = await accept(peer);
    peer.send("task_result", { ...attempt, ok: false, error: "it can't be done", retry: false });
    const seen = await Promise.all(waiting.map(({ task }) => task));
    for (const task of seen)
      expect(task).toMatchObject({ state: "failed", error: "it can't be done" });
  });

  it("HT6 does not return when another task ends", async () => {
    const { id } = await submitTask("test", null);
    const other = await submitTask("test", null);
    const waiting = poll(id);
    await call("DELETE", `/v1/tasks/${other.id}`);
    expect(await poll(other.id).task).toMatchObject({ state: "cancelled" });
    expect(waiting.answered).toBe(false);
    await call("DELETE", `/v1/tasks/${id}`);
    expect(await waiting.task).toMatchObject({ id, state: "cancelled" });
  });

  it("HT6 answers when the task expires", async () => {
    const { id } = await submitTask("test", null, { deadline_seconds: 0.1 });
    expect(await poll(id).task).toMatchObject({ state: "expired" });
  });

  it("HT6 answers at once if the task has ended already", async () => {
    const { id } = await submitTask("test", null);
    await call("DELETE", `/v1/tasks/${id}`);
    expect(await poll(id).task).toMatchObject({ state: "cancelled" });
  });

  it.each(["0.05", "0", "0.001"])(
    "HT6 answers with the current task after the time (%s s)",
    async (wait) => {
      const { id } = await submitTask("test", null);
      const reply = await call("GET", `/v1/tasks/${id}?wait=${wait}`);
      expect(reply).toMatchObject({ status: 200, body: { id, state: "queued" } });
    },
  );

  it("HT6 waits for the requested time, and shows the latest progress", async () => {
    const { id } = await submitTask("test", null);
    const real = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
    const waits: unknown[][] = [];
    const stub = {
      execute: (...args: Parameters<typeof real.execute>) => real.execute(...args),
      getOnceEnded: async (...args: Parameters<typeof real.getOnceEnded>) => {
        waits.push(args);
        const answer = real.getOnceEnded(...args);
        await call("DELETE", `/v1/tasks/${id}`);
        return answer;
      },
    };
    const COORDINATOR = { idFromName: () => "id", get: () => stub };
    const reply = await callWith({ COORDINATOR }, "GET", `/v1/tasks/${id}?wait=12.5`);
    expect(reply).toMatchObject({ status: 200, body: { state: "cancelled" } });
    // What is left of the time when the call is made.
    const left = expect.toSatisfy((ms: number) => ms <= 12_500 && ms > 6_000);
    const to = { cell: 0, topology: 0 };
    expect(waits).toEqual([[RPC_VERSION, "admin", { id, visibleTo: null }, left, to]]);
  });
});

const submitAndWait = (wait: string, headers: Record<string, string> = {}) =>
  call<TaskView>("POST", `/v1/tasks?wait=${wait}`, { json: { kind: "test" }, headers });

describe("a submission that waits", () => {
  it("HT6 answers 200 with the task once it has ended, and not before", async () => {
    const peer = await GoPeer.join();
    let answered = false;
    const submitted = submitAndWait(`${LONG}`).finally(() => (answered = true));
    const attempt = await accept(peer);
    await peer.catchUp();
    expect(answered).toBe(false);
    peer.send("task_result", { ...attempt, ok: true, result: 7 });
    const { status, body, headers } = await submitted;
    expect([status, headers.get("Location")]).toEqual([200, `/v1/tasks/${attempt.task_id}`]);
    expect(body).toMatchObject({ id: attempt.task_id, state: "succeeded", result: 7 });
    expect(body.attempts).toHaveLength(1);
  });

  it.each(["0.05", "0", "0.001"])(
    "HT6 answers 202 with the present task after the time (%s s)",
    async (wait) => {
      const { status, body } = await submitAndWait(wait);
      expect([status, body.state]).toEqual([202, "queued"]);
      expect((await call("GET", `/v1/tasks/${body.id}`)).body).toMatchObject({ state: "queued" });
    },
  );

  it.each(["-1", "61", "soon", "NaN", "1e9"])(
    "HT3 is refused with wait=%s, and makes no task",
    async (wait) => {
      problemOf(await submitAndWait(wait), "invalid_request");
      expect((await call<{ tasks: unknown[] }>("GET", "/v1/tasks")).body.tasks).toEqual([]);
    },
  );

  it("AS12 with a key that was used answers with the first task once that has ended", async () => {
    const key = { "Idempotency-Key": "once" };
    const peer = await GoPeer.join();
    const first = submitAndWait(`${LONG}`, key);
    const attempt = await accept(peer);
    const second = submitAndWait(`${LONG}`, key);
    await peer.catchUp();
    peer.send("task_result", { ...attempt, ok: true, result: null });
    const replies = [await first, await second, await submitAndWait(`${LONG}`, key)];
    for (const { status, body } of replies)
      expect([status, body.id, body.state]).toEqual([200, attempt.task_id, "succeeded"]);
  });

  it("HT2 is answered unavailable when the coordinator fails meanwhile, and the task is found by its key", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const real = env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator"));
    const stub = {
      submitAndWait: async (...args: Parameters<typeof real.submitAndWait>) => {
        const submitted: Promise<unknown> = real.submitAndWait(
          args[0],
          args[1],
          args[2],
          1,
          args[4],
        );
        await submitted;
        throw new Error("the object restarted");
      },
    };
    const COORDINATOR = { idFromName: () => "id", get: () => stub };
    const headers = { "Idempotency-Key": "lost" };
    const options = { json: { kind: "test" }, headers };
    problemOf(await callWith({ COORDINATOR }, "POST", "/v1/tasks?wait=5", options), "unavailable");
    const again = await call<TaskView>("POST", "/v1/tasks", options);
    const { body } = await call<{ tasks: { id: string }[] }>("GET", "/v1/tasks");
    expect(body.tasks.map(({ id }) => id)).toEqual([again.body.id]);
  });
});

describe("a token that is revoked while its request waits", () => {
  it.each(["GET /v1/tasks/ID?wait", "POST /v1/tasks?wait"])(
    "HT20 gets 401 from %s, and not the task",
    async (kind) => {
      const peer = await GoPeer.join();
      const { body: made } = await call<{ id: string; token: string }>("POST", "/v1/tokens", {
        json: { scope: "controller" },
      });
      const { token } = made;
      const json = { kind: "test" };
      const submit = `/v1/tasks${kind.startsWith("POST") ? `?wait=${LONG}` : ""}`;
      const submitted = call<TaskView>("POST", submit, { token, json });
      const attempt = await accept(peer);
      const waiting = kind.startsWith("POST")
        ? submitted
        : call("GET", `/v1/tasks/${(await submitted).body.id}?wait=${LONG}`, { token });
      await peer.catchUp();
      expect((await call("DELETE", `/v1/tokens/${made.id}`)).status).toBe(204);
      peer.send("task_result", { ...attempt, ok: true, result: "a secret" });
      problemOf(await waiting, "unauthorized");
    },
  );
});
