import { reset } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, rows } from "./api.ts";
import { Gate, interceptCommand } from "./faults.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

async function offered(peer: NoisePeer): Promise<{ task_id: string; fence: number }> {
  await api("POST", "/v1/tasks", { kind: "echo" });
  const { task_id, fence } = (await peer.readType("task_offer")).payload as unknown as TaskOffer;
  return { task_id, fence };
}

it("WK8 a ping that asks for confirmation is answered once the results before it are committed, and a plain one at once", async () => {
  const peer = await NoisePeer.join();
  const attempt = await offered(peer);
  const gate = new Gate();
  interceptCommand("finish_task", async (run) => {
    await gate.wait();
    return run();
  });
  peer.send("task_result", { ...attempt, ok: true, result: 1 });
  const confirming = peer.send("ping", { sentAt: 1, confirm: true });
  const plain = peer.send("ping", { sentAt: 2 });
  expect((await peer.readType("pong")).replyTo).toBe(plain.id);
  await gate.reached();
  expect(await rows("SELECT state FROM tasks")).not.toEqual([{ state: "succeeded" }]);
  gate.open();
  expect((await peer.readType("pong")).replyTo).toBe(confirming.id);
  expect(await rows("SELECT state FROM tasks")).toEqual([{ state: "succeeded" }]);
});

it("WK8 a result that is refused is refused before the confirmation", async () => {
  const peer = await NoisePeer.join();
  const { task_id, fence } = await offered(peer);
  const refused = peer.send("task_result", { task_id, fence: fence + 1, ok: true, result: 1 });
  const confirming = peer.send("ping", { sentAt: 1, confirm: true });
  const replies: (string | undefined)[] = [];
  while (!replies.includes(confirming.id)) replies.push((await peer.read()).replyTo);
  expect(replies.filter((each) => each !== undefined)).toEqual([refused.id, confirming.id]);
});

it("WK8 a confirmation is answered at once when nothing is under way", async () => {
  const peer = await NoisePeer.join();
  const { id } = peer.send("ping", { sentAt: 7, confirm: true });
  expect(await peer.readType("pong")).toMatchObject({ replyTo: id, payload: { sentAt: 7 } });
});
