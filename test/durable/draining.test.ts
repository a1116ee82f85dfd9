import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { PeerView, ScheduledPeers, TaskView } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, awaitTaskEnd, peerView, submitTask, until } from "./api.ts";
import { NoisePeer } from "./noise-peer.ts";

afterEach(async () => {
  await reset();
});

const offerTo = async (peer: NoisePeer): Promise<TaskOffer> =>
  (await peer.readType("task_offer")).payload as unknown as TaskOffer;

const attemptOf = ({ task_id, fence }: TaskOffer) => ({ task_id, fence });

function finish(peer: NoisePeer, offer: TaskOffer): void {
  peer.send("task_accept", attemptOf(offer));
  peer.send("task_result", { ...attemptOf(offer), ok: true, result: "done" });
}

/** The states of a task's attempts once it has succeeded. */
async function statesOf(id: string): Promise<readonly string[]> {
  const { state, attempts } = await awaitTaskEnd(id);
  expect(state).toBe("succeeded");
  return attempts.map((attempt) => attempt.state);
}

describe("an offer that races the end of a session", () => {
  it("DR6 goes elsewhere at once when the goodbye comes after it", async () => {
    const leaving = await NoisePeer.join();
    const { id } = await submitTask("echo", null);
    await offerTo(leaving);
    const other = await NoisePeer.join();
    leaving.send("disconnect", { reason: "closing", code: 1000 });
    finish(other, await offerTo(other));
    expect(await statesOf(id)).toEqual(["reclaimed", "succeeded"]);
    expect(await peerView(leaving.keys.id)).toMatchObject({ failures: 0, connected: false });
  });

  it("DR6 is not made, or goes elsewhere at once, when the goodbye comes before it", async () => {
    const leaving = await NoisePeer.join();
    const submitted: Promise<TaskView>[] = [];
    leaving.send("disconnect", { reason: "closing", code: 1000 });
    for (let n = 0; n < 10; n++) submitted.push(submitTask("echo", n));
    const tasks = await Promise.all(submitted);
    const other = await NoisePeer.join({ hello: { slots: 10 } });
    for (let n = 0; n < tasks.length; n++) finish(other, await offerTo(other));
    for (const { id } of tasks) {
      const [last, ...earlier] = (await statesOf(id)).toReversed();
      expect([last, ...earlier.filter((state) => state !== "reclaimed")]).toEqual(["succeeded"]);
    }
  });

  it("DR6 that is handed back by a peer that drains goes to another peer at once, in either order", async () => {
    for (const order of ["offer first", "drain first"]) {
      const leaving = await NoisePeer.join();
      if (order === "drain first") leaving.send("drain", { reason: "", timeout_seconds: 5 });
      const { id } = await submitTask("echo", null);
      if (order === "offer first") {
        const offer = await offerTo(leaving);
        leaving.send("drain", { reason: "", timeout_seconds: 5 });
        leaving.send("task_release", { ...attemptOf(offer), reason: "it drains", begun: false });
      }
      const other = await NoisePeer.join();
      finish(other, await offerTo(other));
      expect((await statesOf(id)).filter((state) => state !== "reclaimed")).toEqual(["succeeded"]);
      const view = await peerView(leaving.keys.id);
      expect(view).toMatchObject({ scheduling: "draining", scheduled_by: "peer", failures: 0 });
      for (const peer of [leaving, other]) peer.send("disconnect", { reason: "", code: 1000 });
      for (const peer of [leaving, other])
        await until(
          () => peerView(peer.keys.id),
          ({ connected }) => !connected,
        );
    }
  });
});

describe("a task that waits at a busy peer", () => {
  it("AS17 is asked back when another peer is free, and moves when the peer has given it back", async () => {
    const busy = await NoisePeer.join({ hello: { prefetch: true } });
    await submitTask("echo", 1);
    busy.send("task_accept", attemptOf(await offerTo(busy)));
    const waiting = await submitTask("echo", 2);
    const held = attemptOf(await offerTo(busy));
    busy.send("task_accept", { ...held, queued: true });
    const free = await NoisePeer.join();
    expect((await busy.readType("task_return")).payload).toEqual(held);
    busy.send("task_release", { ...held, reason: "asked back", begun: false });
    finish(free, await offerTo(free));
    expect(await statesOf(waiting.id)).toEqual(["reclaimed", "succeeded"]);
  });
});

describe("an operator's drain", () => {
  it("DR2 tells the peer, takes back what waits there, and says goodbye when the rest is done", async () => {
    const peer = await NoisePeer.join({ hello: { prefetch: true } });
    const running = await submitTask("echo", 1);
    const first = await offerTo(peer);
    peer.send("task_accept", attemptOf(first));
    const waiting = await submitTask("echo", 2);
    const second = attemptOf(await offerTo(peer));
    peer.send("task_accept", { ...second, queued: true });
    await until(
      () => api<TaskView>("GET", `/v1/tasks/${waiting.id}`),
      ({ body }) => body.attempts.at(-1)?.state === "prefetched",
    );
    const { status, body } = await api<PeerView>("POST", `/v1/peers/${peer.keys.id}/drain`, {
      timeout_seconds: 60,
    });
    expect([status, body.scheduling]).toEqual([200, "draining"]);
    expect((await peer.readType("drain")).payload).toMatchObject({ timeout_seconds: 60 });
    peer.send("task_release", { ...second, reason: "it drains", begun: false });
    const other = await NoisePeer.join();
    finish(other, await offerTo(other));
    expect(await statesOf(waiting.id)).toEqual(["reclaimed", "succeeded"]);
    peer.send("task_result", { ...attemptOf(first), ok: true, result: "done" });
    expect(await statesOf(running.id)).toEqual(["succeeded"]);
    expect(await peer.closed).toMatchObject({ code: 1000 });
    expect(await peerView(peer.keys.id)).toMatchObject({ scheduling: "cordoned", failures: 0 });
  });

  it("DR1 cordons, by a selection, the peers that meet it; it needs an administrator and a condition", async () => {
    const peer = await NoisePeer.join({ hello: { capabilities: ["gpu"] } });
    await NoisePeer.join();
    const select = { capabilities: ["gpu"] };
    const { body } = await api<ScheduledPeers>("POST", "/v1/peer-batches/cordon", { select });
    expect(body.peers.map(({ id }) => id)).toEqual([peer.keys.id]);
    expect((await api("POST", "/v1/peer-batches/cordon", { select: {} })).status).toBe(400);
    const lifted = await api<PeerView>("POST", `/v1/peers/${peer.keys.id}/uncordon`);
    expect(lifted.body.scheduling).toBe("open");
  });
});

describe("a mesh that drains before a restart", () => {
  it("DR7 ends its sessions with 4503 and a position, and a peer that returns goes on with its task", async () => {
    const peer = await NoisePeer.join();
    const { id } = await submitTask("echo", null);
    const offer = await offerTo(peer);
    peer.send("task_accept", attemptOf(offer));
    await until(
      () => api<TaskView>("GET", `/v1/tasks/${id}`),
      ({ body }) => body.state === "running",
    );
    const { body } = await api<{ sessions: number }>("POST", "/v1/mesh/drain", {
      pause_seconds: 7,
    });
    expect(body).toEqual({ sessions: 1 });
    const { payload } = await peer.readType("disconnect");
    const { slot, per_second } = (payload as { reconnect: { slot: number; per_second: number } })
      .reconnect;
    expect(slot / per_second).toBeGreaterThanOrEqual(7);
    expect(await peer.closed).toMatchObject({ code: 4503, reason: /^mesh_restarting: / });
    expect(await peerView(peer.keys.id)).toMatchObject({ connected: false, tasks: 1 });
    const held = [attemptOf(offer)];
    const other = await NoisePeer.join();
    const back = await NoisePeer.join({ keys: peer.keys, hello: { held } });
    back.send("task_result", { ...attemptOf(offer), ok: true, result: "done" });
    expect(await statesOf(id)).toEqual(["succeeded"]);
    other.send("disconnect", { reason: "", code: 1000 });
  });
});
