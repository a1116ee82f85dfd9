import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { api, awaitTaskEnd } from "../durable/api.ts";
import { NoisePeer } from "../durable/noise-peer.ts";

afterEach(async () => {
  await reset();
});

describe("a mesh of four cells", () => {
  it("CE8 admits peers in the cells of their IDs, and each does the tasks of its cell", async () => {
    const peers = await Promise.all(Array.from({ length: 32 }, () => NoisePeer.join()));
    const known = await Promise.all(peers.map(({ keys }) => api("GET", `/v1/peers/${keys.id}`)));
    expect(known.map(({ status }) => status)).toEqual(peers.map(() => 200));
    for (const peer of peers) void answerAll(peer).catch(() => {}); // the test has ended
    const tasks = await Promise.all(
      Array.from({ length: 24 }, () => api<{ id: string }>("POST", "/v1/tasks", { kind: "echo" })),
    );
    const ended = await Promise.all(tasks.map(({ body }) => awaitTaskEnd(body.id)));
    expect(ended.map(({ state }) => state)).toEqual(tasks.map(() => "succeeded"));
    const cells = new Set(
      tasks.map(({ body }) => (body.id[14] === "8" ? body.id.slice(0, 2) : "00")),
    );
    expect(cells.size).toBeGreaterThan(1);
  });

  it("CE8 a key leads to one cell: repeated, it answers with the same task", async () => {
    const submit = async (key: string) =>
      (await api<{ id: string }>("POST", "/v1/tasks", { kind: "echo" }, { "Idempotency-Key": key }))
        .body.id;
    for (let n = 0; n < 12; n++) {
      const key = `key ${n}`;
      expect(await submit(key)).toBe(await submit(key));
    }
  });
});

/** Accepts and finishes whatever the peer is offered. */
async function answerAll(peer: NoisePeer): Promise<void> {
  for (;;) {
    const { payload } = await peer.readType("task_offer");
    const { task_id, fence } = payload as { task_id: string; fence: number };
    peer.send("task_accept", { task_id, fence });
    peer.send("task_result", { task_id, fence, ok: true, result: null });
  }
}
