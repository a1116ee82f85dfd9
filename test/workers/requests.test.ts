import { reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { Json } from "../../src/base/json.ts";
import type { PeerReply } from "../../src/protocol/http.ts";
import { rows } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { call, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

const ask = (id: string, json: object, token?: string) =>
  call<PeerReply>("POST", `/v1/peers/${id}/requests`, { json, ...(token && { token }) });

describe("POST /v1/peers/:id/requests", () => {
  it.each([
    ["get_stats", "stats", { uptime: 7 }],
    ["get_logs", "logs", { lines: ["a"], hasMore: false }],
    ["start_miner", "miner_ack", { success: true }],
    ["stop_miner", "miner_ack", { success: false, error: "none runs" }],
    ["deploy", "deploy_ack", { success: true }],
  ] as const)("AS22 sends %s and returns the peer's %s", async (type, reply, said) => {
    const node = await GoPeer.join({ muster: null });
    await node.catchUp();
    // The bundle of a deploy does not arrive as it was given (GP33).
    const payload = type === "deploy" ? null : { n: 1 };
    const asked = ask(node.keys.id, { type, payload });
    const request = await node.readType(type);
    expect(request.payload).toEqual(payload);
    node.send(reply, said as Json, { replyTo: request.id });
    expect(await asked).toMatchObject({ status: 200, body: { type: reply, payload: said } });
  });

  it.each(["get_stats", "get_logs", "start_miner", "stop_miner"] as const)(
    "GP39 refuses a payload of %s that a node's frame may not hold, and sends the largest one",
    async (type) => {
      const node = await GoPeer.join({ muster: null });
      const payload = "x".repeat(262_144 - 2);
      problemOf(await ask(node.keys.id, { type, payload: `${payload}x` }), "payload_too_large");
      const asked = ask(node.keys.id, { type, payload });
      const request = await node.readType(type);
      expect(request.payload).toBe(payload);
      node.send("error", { code: 1004, message: "no" }, { replyTo: request.id });
      expect(await asked).toMatchObject({ status: 200, body: { type: "error" } });
    },
  );

  it("AS22 returns a peer's error as the reply, and matches replies to requests", async () => {
    const node = await GoPeer.join();
    const both = [ask(node.keys.id, { type: "get_logs" }), ask(node.keys.id, { type: "get_logs" })];
    const requests = [await node.readType("get_logs"), await node.readType("get_logs")];
    node.send("logs", { of: requests[1]?.id ?? "" }, { replyTo: requests[1]?.id ?? "" });
    node.send("error", { code: 1003, message: "gone" }, { replyTo: requests[0]?.id ?? "" });
    const replies = (await Promise.all(both)).map(({ body }) => body);
    expect(replies).toContainEqual({ type: "logs", payload: { of: requests[1]?.id } });
    expect(replies).toContainEqual({ type: "error", payload: { code: 1003, message: "gone" } });
  });

  it("AS22 answers 504 if the peer does not reply, and 409 if it is not connected or disconnects", async () => {
    const node = await GoPeer.join();
    const silent = await ask(node.keys.id, { type: "get_stats", timeout_ms: 50 });
    expect(silent.status).toBe(504);
    problemOf(silent, "peer_timeout");
    const cut = ask(node.keys.id, { type: "get_logs" });
    await node.readType("get_logs");
    node.send("disconnect", { reason: "bye", code: 1000 });
    problemOf(await cut, "peer_unavailable");
    problemOf(await ask(node.keys.id, { type: "get_stats" }), "peer_unavailable");
    problemOf(await ask("0".repeat(32), { type: "get_stats" }), "not_found");
  });

  it("AS22 accepts only go-p2p's five requests, and records those that change something in the audit log", async () => {
    const node = await GoPeer.join();
    for (const type of ["ping", "handshake", "task_offer", "toString", ""])
      problemOf(await ask(node.keys.id, { type }), "invalid_request");
    for (const type of ["get_stats", "deploy"]) await ask(node.keys.id, { type, timeout_ms: 1 });
    const acts = await rows("SELECT detail FROM audit WHERE act = 'request_peer'");
    expect(acts).toEqual([{ detail: JSON.stringify({ type: "deploy" }) }]);
  });
});
