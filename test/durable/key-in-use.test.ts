import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import type { Json } from "../../src/base/json.ts";
import { peerView, submitTask } from "./api.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  await reset();
});

/** Answers a peer's pings until the mesh offers it a task. Returns the task's ID. */
async function answerUntilOffer(peer: NoisePeer): Promise<string> {
  for (;;) {
    const { type, id, payload } = await peer.read();
    if (type === "task_offer") return (payload as unknown as TaskOffer).task_id;
    if (type !== "ping") continue;
    const { sentAt } = payload as { sentAt: number };
    peer.send("pong", { sentAt, receivedAt: Date.now() }, { replyTo: id });
  }
}

/** A process with this key that proves the key, whatever the mesh answers. */
async function arrive(keys: ReturnType<typeof newKeyPair>): Promise<NoisePeer> {
  const peer = await NoisePeer.connect({ keys });
  await peer.begin();
  await peer.prove();
  return peer;
}

describe("two processes with one key", () => {
  it("HS24 the first takeover succeeds; from then on newcomers are refused while the session answers", async () => {
    const keys = newKeyPair(platformRandom);
    const first = await NoisePeer.join({ keys });
    const second = await NoisePeer.join({ keys });
    expect(await first.closed).toMatchObject({ code: 4409 });
    const offered = answerUntilOffer(second);
    for (let tries = 0; tries < 3; tries++) {
      const newcomer = await arrive(keys);
      const { payload } = await newcomer.readType("rejection");
      expect(payload as { [key: string]: Json }).toMatchObject({
        code: "key_in_use",
        retry_after: 5,
      });
      expect(await newcomer.closed).toMatchObject({ code: 4429, reason: /^key_in_use: / });
    }
    expect(await peerView(keys.id)).toMatchObject({ connected: true, state: "active" });
    const { id } = await submitTask("echo", null);
    expect(await offered).toBe(id);
  });

  it("HS24 a newcomer wins within seconds when the session that has the peer does not answer", async () => {
    const keys = newKeyPair(platformRandom);
    await NoisePeer.join({ keys });
    const silent = await NoisePeer.join({ keys });
    const returned = await NoisePeer.join({ keys });
    expect(await silent.closed).toMatchObject({ code: 4409 });
    const { id } = await submitTask("echo", null);
    expect((await returned.readType("task_offer")).payload).toMatchObject({ task_id: id });
  });
});
