import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/protocol/http.ts";
import { api, awaitTaskEnd } from "../durable/api.ts";
import { NoisePeer } from "../durable/noise-peer.ts";

afterEach(async () => {
  await reset();
});

const submit = (task: object, key?: string) =>
  api<TaskView>(
    "POST",
    "/v1/tasks",
    { kind: "echo", ...task },
    key === undefined ? {} : { "Idempotency-Key": key },
  );

/** A peer that does whatever it is offered. */
async function worker(hello: { [key: string]: string[] | number } = {}): Promise<NoisePeer> {
  const peer = await NoisePeer.join({ hello: { slots: 4, ...hello } });
  void answerAll(peer).catch(() => {}); // the test has ended
  return peer;
}

async function answerAll(peer: NoisePeer): Promise<void> {
  for (;;) {
    const { payload } = await peer.readType("task_offer");
    const { task_id, fence } = payload as { task_id: string; fence: number };
    peer.send("task_accept", { task_id, fence });
    peer.send("task_result", { task_id, fence, ok: true, result: null });
  }
}

const cellOf = (id: string): string => (id[14] === "8" ? id.slice(0, 2) : "00");

describe("a mesh of four cells", () => {
  it("CE84 CE88 does every task although all workers are in one cell, and waiting callers follow", async () => {
    const peer = await worker();
    const tasks = await Promise.all(Array.from({ length: 12 }, () => submit({})));
    const ids = tasks.map(({ body }) => body.id);
    expect(new Set(ids.map(cellOf)).size).toBeGreaterThan(1);
    const ended = await Promise.all(ids.map(awaitTaskEnd));
    expect(ended.map(({ id, state }) => [id, state])).toEqual(ids.map((id) => [id, "succeeded"]));
    expect(new Set(ended.map(({ peer_id }) => peer_id))).toEqual(new Set([peer.keys.id]));
  });

  it("CE88 answers a caller that submits and waits, although its task moves", async () => {
    const [early] = [await submit({}), await worker()];
    const waited = await Promise.all(
      Array.from({ length: 6 }, () => api<TaskView>("POST", "/v1/tasks?wait=20", { kind: "echo" })),
    );
    expect(waited.map(({ body }) => body.state)).toEqual(waited.map(() => "succeeded"));
    expect((await awaitTaskEnd(early.body.id)).state).toBe("succeeded");
  });

  it("CE84 brings tasks with a rare label or a named peer to it, also under keys that belong to other cells", async () => {
    const rare = await worker({ capabilities: ["gpu=a"] });
    const named = await worker();
    const byLabel = await Promise.all(
      Array.from({ length: 4 }, (_, n) =>
        submit({ requirements: { capabilities: ["gpu"] } }, `label ${n}`),
      ),
    );
    const byName = await Promise.all(
      Array.from({ length: 4 }, (_, n) =>
        submit({ requirements: { peer_id: named.keys.id } }, `name ${n}`),
      ),
    );
    const peersOf = async (tasks: typeof byLabel) =>
      Promise.all(tasks.map(async ({ body }) => (await awaitTaskEnd(body.id)).peer_id));
    expect(await peersOf(byLabel)).toEqual(byLabel.map(() => rare.keys.id));
    expect(await peersOf(byName)).toEqual(byName.map(() => named.keys.id));
    const again = await submit({ requirements: { capabilities: ["gpu"] } }, "label 0");
    expect([again.body.id, again.body.state]).toEqual([byLabel[0]?.body.id, "succeeded"]);
  });
});
