import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { RPC_VERSION } from "../../src/protocol/constants.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { submitTask } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { call, callWith } from "./http.ts";

afterEach(async () => {
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
    expect(waits).toEqual([[RPC_VERSION, "admin", { id, visibleTo: null }, 12_500]]);
  });
});
