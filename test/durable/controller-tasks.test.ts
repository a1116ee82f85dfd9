import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api } from "./api.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  await reset();
});

async function joinAs(role: "controller" | "worker"): Promise<NoisePeer> {
  const keys = newKeyPair(platformRandom);
  const path = `/v1/allowlist/${toHex(keys.publicKey)}`;
  if (role === "controller") await api("PUT", path, { roles: [role] });
  return NoisePeer.join({ keys, hello: { role } });
}

describe("a controller over its session", () => {
  it("AS25 a controller assigns a task, gets a reply and is notified of the end", async () => {
    const [giver, worker] = [await joinAs("controller"), await joinAs("worker")];
    const asked = giver.send("task_assign", {
      task: { kind: "echo", payload: [1] },
      idempotency_key: "k",
    });
    const answer = await giver.readType("task_shown");
    expect(answer).toMatchObject({ replyTo: asked.id, payload: { task: { source: "peer" } } });
    const { task_id, fence } = (await worker.readType("task_offer")).payload as never as TaskOffer;
    worker.send("task_result", { task_id, fence, ok: true, result: [2] });
    const told = await giver.readType("task_shown");
    expect(told).not.toHaveProperty("replyTo");
    expect(told.payload).toMatchObject({ task: { id: task_id, state: "succeeded", result: [2] } });
    const again = giver.send("task_query", { task_id });
    expect(await giver.readType("task_shown")).toMatchObject({ replyTo: again.id });
  });

  it("AS25 a refused task is answered with its error code, and the session continues", async () => {
    const [giver, worker] = [await joinAs("controller"), await joinAs("worker")];
    const refused = worker.send("task_assign", { task: { kind: "echo" } });
    expect(await worker.readType("error")).toMatchObject({
      replyTo: refused.id,
      payload: { details: "forbidden" },
    });
    giver.send("task_query", { task_id: crypto.randomUUID() });
    expect((await giver.readType("error")).payload).toMatchObject({ details: "not_found" });
    giver.send("task_assign", { task: { kind: "no good kind!" } });
    expect((await giver.readType("error")).payload).toMatchObject({ details: "bad_message" });
    giver.send("task_assign", { task: { kind: "echo" } });
    await giver.readType("task_shown");
  });
});
