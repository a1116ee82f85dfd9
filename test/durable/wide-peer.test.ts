import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { PeerSession } from "../../durable/peer-session.ts";
import type { CommandName } from "../../src/contract/commands.ts";
import { OFFERS_OUTSTANDING_MAX } from "../../src/protocol/constants.ts";
import type { TaskSummary, TaskView } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, rows } from "./api.ts";
import { earnSlots } from "./earn-slots.ts";
import { Gate } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

const TASKS = 300;

async function submitTasks(): Promise<readonly string[]> {
  const ids: string[] = [];
  while (ids.length < TASKS) {
    const tasks = Array.from({ length: 100 }, () => ({ kind: "echo" }));
    const { body } = await api("POST", "/v1/task-batches", { tasks });
    for (const { task } of body.results as { task: TaskSummary }[]) ids.push(task.id);
  }
  return ids;
}

/** Answers each offer at once with its acceptance and its result. */
async function answerOffers(peer: NoisePeer, count: number): Promise<void> {
  for (let answered = 0; answered < count; answered++) {
    const { payload } = await peer.readType("task_offer");
    const { task_id, fence } = payload as unknown as TaskOffer;
    peer.send("task_accept", { task_id, fence });
    peer.send("task_result", { task_id, fence, ok: true, result: fence });
  }
}

async function expectAllDoneOnce(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { body } = await api("GET", `/v1/tasks/${id}?wait=20`);
    const { state, attempts } = body as unknown as TaskView;
    expect([state, attempts.length]).toEqual(["succeeded", 1]);
  }
}

describe("a peer with 256 slots whose handlers are instant", () => {
  it("AS60 does every task once, with at most 64 unanswered offers, in few calls", async () => {
    const peer = await NoisePeer.join({ hello: { slots: 256 } });
    await earnSlots(peer.keys.id, 256);
    const calls = vi.spyOn(Coordinator.prototype, "execute");
    const deliveries = vi.spyOn(PeerSession.prototype, "deliver");
    const ids = await submitTasks();
    const answered = answerOffers(peer, TASKS);
    const unanswered = await rows("SELECT COUNT(*) AS n FROM tasks WHERE state = 'leased'");
    expect(Number(unanswered[0]?.["n"])).toBeLessThanOrEqual(OFFERS_OUTSTANDING_MAX);
    await answered;
    await expectAllDoneOnce(ids);
    // Two commands of each task, and one offer: they share their calls.
    const names = calls.mock.calls.flatMap(([, , commands]) => commands.map(({ name }) => name));
    const results = names.filter((name) => name === "finish_task").length;
    expect(results).toBe(TASKS);
    const own = calls.mock.calls.filter(([, actor]) => actor.startsWith("peer:"));
    expect(own.length).toBeLessThan(TASKS);
    expect(deliveries.mock.calls.length).toBeLessThan(TASKS);
  });

  it("HS20 sends its acceptances first while the coordinator is slow, one call at a time", async () => {
    const peer = await GoPeer.join({ muster: { v: 1, capabilities: [], slots: 256 } });
    await earnSlots(peer.keys.id, 256);
    const gate = new Gate();
    const batches: CommandName[][] = [];
    let underWay = 0;
    const tasks = Array.from({ length: 40 }, () => ({ kind: "echo" }));
    await api("POST", "/v1/task-batches", { tasks });
    const execute = Reflect.get(Coordinator.prototype, "execute");
    vi.spyOn(Coordinator.prototype, "execute").mockImplementation(async function (
      this: Coordinator,
      version,
      actor,
      commands,
      to,
    ) {
      if (!actor.startsWith("peer:")) return execute.call(this, version, actor, commands, to);
      batches.push(commands.map(({ name }) => name));
      expect(++underWay).toBe(1);
      await gate.wait();
      const answers = await execute.call(this, version, actor, commands, to);
      underWay--;
      return answers;
    });
    const offers: TaskOffer[] = [];
    while (offers.length < 40)
      offers.push((await peer.readType("task_offer")).payload as unknown as TaskOffer);
    const [first, ...others] = offers.map(({ task_id, fence }) => ({ task_id, fence }));
    peer.send("task_refuse", { ...first, reason: "busy" });
    await gate.reached();
    // Results of some and acceptances of others gather while the first call is under way.
    for (const attempt of others.slice(0, 10))
      peer.send("task_result", { ...attempt, ok: true, result: 1 });
    for (const attempt of others.slice(10)) peer.send("task_accept", attempt);
    peer.send("ping", { sentAt: 1 });
    await peer.readType("pong");
    gate.open();
    await peer.catchUp();
    expect(batches[0]).toEqual(["refuse_task"]);
    const gathered = [
      ...others.slice(10).map(() => "accept_task"),
      ...others.slice(0, 10).map(() => "finish_task"),
    ];
    expect(batches[1]?.slice(0, gathered.length)).toEqual(gathered);
  });
});
