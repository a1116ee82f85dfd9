import { evictDurableObject, reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { Json } from "../../src/base/json.ts";
import type { ScoreView, TaskView, WhyView } from "../../src/protocol/http.ts";
import { api, coordinatorStub, submitTask, rows, awaitTaskEnd, until } from "./api.ts";
import { GoPeer } from "./go-peer.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  await reset();
});

interface Offer {
  readonly task_id: string;
  readonly fence: number;
}

/** Runs the task that the peer is offered. */
async function runTask(peer: NoisePeer | GoPeer, result: Json = null): Promise<void> {
  const { payload } = await peer.readType("task_offer");
  const { task_id, fence } = payload as unknown as Offer;
  peer.send("task_accept", { task_id, fence });
  peer.send("task_result", { task_id, fence, ok: true, result });
}

const scoreOf = async (id: string): Promise<ScoreView> =>
  (await api<ScoreView>("GET", `/v1/peers/${id}/score`)).body;
const why = async (id: string, query = ""): Promise<WhyView> =>
  (await api<WhyView>("GET", `/v1/tasks/${id}/why${query}`)).body;

describe("the choice of a peer, over real sockets", () => {
  it("AS57 the choice and its score are explained, and the explanation survives a hibernation of the coordinator", async () => {
    const noise = await NoisePeer.join();
    const { id } = await submitTask("echo", 1);
    await runTask(noise);
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded" });

    const explained = await why(id);
    expect(explained).toMatchObject({
      task_id: id,
      attempt: 1,
      policy: "expected-cost",
      chosen: noise.keys.id,
      reproduced: true,
      eligible: 1,
    });
    const { cost } = explained.contenders[0] ?? {};
    const parts = [cost?.rtt_ms, cost?.wait_ms, cost?.service_ms, cost?.failure_ms, cost?.loss_ms];
    expect(cost?.total_ms).toBeCloseTo(
      parts.reduce<number>((sum, ms) => sum + (ms ?? Number.NaN), 0),
      6,
    );

    const shown = await scoreOf(noise.keys.id);
    expect(shown.outcomes.successes).toBeCloseTo(1, 2);
    expect(shown.factors.latency).toMatchObject({ unit: "ms", weight: 0.35, known: 1 });
    expect(shown.service_times).toMatchObject([{ kind: "echo", samples: 1 }]);

    // Measurements are written a little later; afterwards none is only in memory.
    await until(
      () => rows("SELECT 1 FROM observed WHERE successes > 0"),
      (found) => found.length > 0,
    );
    await evictDurableObject(coordinatorStub());
    expect(await why(id)).toEqual(explained);
    const again = await scoreOf(noise.keys.id);
    expect(again.outcomes.successes).toBeCloseTo(1, 2);
    expect(again.service_times).toEqual(shown.service_times);
    expect(again.rtt).toEqual(shown.rtt);
  });

  it("AS56 the explanation names the excluded peers: one without Muster's messages, one without the label", async () => {
    const plain = await GoPeer.join({ muster: null });
    await plain.catchUp();
    const able = await NoisePeer.join({ hello: { capabilities: ["gpu"] } });
    const other = await NoisePeer.join();
    const { id } = await submitTask("render", null, { requirements: { capabilities: ["gpu"] } });
    await runTask(able);
    await awaitTaskEnd(id);
    const { chosen, ruled_out: ruledOut, excluded } = await why(id, "?attempt=1");
    expect(chosen).toBe(able.keys.id);
    expect(ruledOut).toEqual({ kind_not_handled: 1, capability_missing: 1 });
    expect(excluded).toEqual(
      expect.arrayContaining([
        { peer_id: plain.keys.id, rule: "kind_not_handled" },
        { peer_id: other.keys.id, rule: "capability_missing" },
      ]),
    );
  });

  it("AS57 a queued task is explained as things stand, and an unknown task is 404", async () => {
    const { id, state } = (await submitTask("echo", null)) satisfies TaskView;
    expect(state).toBe("queued");
    expect(await why(id)).toMatchObject({ attempt: null, chosen: null, eligible: 0 });
    const path = `/v1/tasks/${id}/why`;
    expect((await api("GET", `${path}?attempt=1`)).status).toBe(404);
    expect((await api("GET", `${path}?attempt=0`)).status).toBe(400);
    expect((await api("GET", `/v1/tasks/${crypto.randomUUID()}/why`)).status).toBe(404);
    expect((await api("GET", `/v1/peers/${"0".repeat(32)}/score`)).status).toBe(404);
  });
});
