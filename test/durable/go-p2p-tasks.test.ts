import { evictDurableObject, reset } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fromUtf8, toBase64, toHex } from "../../src/base/bytes.ts";
import { tarOf } from "../../src/base/tar.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom, sha256 } from "../../src/crypto/primitives.ts";
import { openResult } from "../../src/stmf/task-result.ts";
import {
  DEPLOY_PAYLOAD_BYTES_MAX,
  DEPLOY_SEALED_BYTES_MAX,
  FRAME_BYTES_MAX,
} from "../../src/protocol/constants.ts";
import type { GoP2pGeneration } from "../../src/protocol/go-p2p-generation.ts";
import { openStim } from "../crypto/open-stim.ts";
import { STIM_VECTORS } from "../crypto/stim-vectors.ts";
import { bytesOf, present } from "../must.ts";
import { api, TOKEN, submitTask, peerView, sessionStub, awaitTaskEnd } from "./api.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  await reset();
});

/** A go-p2p node without the muster field. It gets no welcome, so it is ready once it is in the registry. */
async function plainNode(generation: GoP2pGeneration): Promise<GoPeer> {
  const node = await GoPeer.join({ muster: null, generation });
  await node.catchUp();
  return node;
}

/** A payload of a request: a deploy is accepted only with a bundle. */
const payloadOf = (request: string): object =>
  request === "deploy" ? { type: "profile", profile: { pool: "a" } } : { minerName: "x" };

/** Lines of a log; 9,000 of them nearly fill a frame. */
const lines = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${at} `.padEnd(105, "accepted "));

const stats = { nodeId: "n", nodeName: "old hand", miners: [], uptime: 77 };

describe.each([1, 2] as const)(
  "a go-p2p node of generation %i without the muster field",
  (generation) => {
    it("AS4 a go-p2p/get_stats task is sent as get_stats, and the stats are its result, across a hibernation", async () => {
      const node = await plainNode(generation);
      const { id } = await submitTask("go-p2p/get_stats", { verbose: true });
      const request = await node.readType("get_stats");
      expect(request).toMatchObject({ to: node.keys.id, payload: { verbose: true } });
      await evictDurableObject(await sessionStub(node.keys.id));
      node.send("stats", stats, { replyTo: request.id });
      expect(await awaitTaskEnd(id)).toMatchObject({
        state: "succeeded",
        result: stats,
        peer_id: node.keys.id,
      });
      expect(await peerView(node.keys.id)).toMatchObject({ successes: 1, tasks: 0 });
    });

    it.each([
      ["get_logs", "logs"],
      ["start_miner", "miner_ack"],
      ["stop_miner", "miner_ack"],
      ["deploy", "deploy_ack"],
    ])(
      "AS4 a go-p2p/%s task is sent as that request, and its %s is the result",
      async (request, reply) => {
        const node = await plainNode(generation);
        const { id } = await submitTask(`go-p2p/${request}`, payloadOf(request));
        const { id: replyTo } = await node.readType(request);
        node.send(reply, { success: true }, { replyTo });
        expect(await awaitTaskEnd(id)).toMatchObject({
          state: "succeeded",
          result: { success: true },
        });
      },
    );

    it("AS4 an error reply fails the attempt", async () => {
      const node = await plainNode(generation);
      const { id } = await submitTask("go-p2p/get_stats", null, { max_attempts: 1 });
      const { id: replyTo } = await node.readType("get_stats");
      node.send("error", { code: 1004, message: "no miners here" }, { replyTo });
      expect(await awaitTaskEnd(id)).toMatchObject({
        state: "failed",
        error: "1004: no miners here",
      });
    });

    it.each([
      [
        "start_miner",
        "miner_ack",
        { success: false, error: "no such miner" },
        "miner_ack: no such miner",
      ],
      [
        "stop_miner",
        "miner_ack",
        { success: false, name: "x", error: "not running" },
        "miner_ack: not running",
      ],
      ["deploy", "deploy_ack", { success: false, error: "disk full" }, "deploy_ack: disk full"],
      ["get_logs", "error", { code: 1003, message: "miner not found" }, "1003: miner not found"],
    ])(
      "GP31 a go-p2p/%s task that a node answers with a failed %s is done by another node",
      async (request, reply, failure, error) => {
        const nodes = [await plainNode(generation), await plainNode(generation)];
        const { id } = await submitTask(`go-p2p/${request}`, payloadOf(request));
        const asked = nodes.map(async (node) => ({ node, message: await node.readType(request) }));
        const first = await Promise.race(asked);
        first.node.send(reply, failure, { replyTo: first.message.id });
        const second = await asked[nodes.indexOf(first.node) === 0 ? 1 : 0];
        const done =
          request === "deploy" ? "deploy_ack" : request === "get_logs" ? "logs" : "miner_ack";
        second?.node.send(done, { success: true }, { replyTo: second.message.id });
        const task = await awaitTaskEnd(id);
        expect(task).toMatchObject({ state: "succeeded", peer_id: second?.node.keys.id });
        expect(task.attempts).toMatchObject([
          { peer_id: first.node.keys.id, state: "failed", error },
          { peer_id: second?.node.keys.id, state: "succeeded" },
        ]);
        expect(await peerView(first.node.keys.id)).toMatchObject({ failures: 1, successes: 0 });
      },
    );

    it("GP31 a reply that says that the request is wrong fails the task at once", async () => {
      const node = await plainNode(generation);
      const { id } = await submitTask("go-p2p/start_miner", { minerType: "x" });
      const { id: replyTo } = await node.readType("start_miner");
      node.send("error", { code: 5, message: "no pool" }, { replyTo });
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "failed", error: "5: no pool" });
    });

    it("GP33 a node opens the bundle that a task gives in cleartext", async () => {
      const node = await plainNode(generation);
      const content = crypto.getRandomValues(new Uint8Array(60_000));
      const file = Uint8Array.from({ length: 600_000 }, (_, at) => content[at % 60_000] ?? 0);
      const bundle = {
        type: "full",
        name: "xmrig",
        files: { xmrig: toBase64(file) },
        profile: { a: 1 },
      };
      const { id } = await submitTask("go-p2p/deploy", { bundle });
      const { id: replyTo, payload } = await node.readType("deploy");
      const { type, name, data, checksum } = payload as Record<string, string>;
      const sealed = bytesOf(String(data));
      expect({ type, name, checksum }).toEqual({
        type: "full",
        name: "xmrig",
        checksum: toHex(sha256(sealed)),
      });
      const opened = openStim(node.password, sealed);
      expect(fromUtf8(opened.config)).toBe('{"a":1}');
      expect(toHex(sha256(opened.files.get("xmrig") ?? new Uint8Array()))).toBe(
        toHex(sha256(file)),
      );
      node.send("deploy_ack", { success: true }, { replyTo });
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded" });
    });

    it.each([
      ["a bundle that is sealed already", 400, { type: "profile", data: STIM_VECTORS[0].sealed }],
      ["no bundle", 400, { name: "x" }],
      [
        "a bundle that no frame holds",
        413,
        {
          type: "miner",
          name: "x",
          data: toBase64(tarOf([{ name: "x", content: new Uint8Array(DEPLOY_SEALED_BYTES_MAX) }])),
        },
      ],
      [
        "a larger payload",
        413,
        { type: "profile", profile: { x: "y".repeat(DEPLOY_PAYLOAD_BYTES_MAX) } },
      ],
    ])(
      "GP34 %s is refused at once, as a task and as a request to one peer",
      async (_, status, payload) => {
        const node = await plainNode(generation);
        const task = await api("POST", "/v1/tasks", { kind: "go-p2p/deploy", payload });
        const request = await api("POST", `/v1/peers/${node.keys.id}/requests`, {
          type: "deploy",
          payload,
        });
        expect([task.status, request.status]).toEqual([status, status]);
        expect(await node.catchUp()).toEqual([]);
      },
    );

    it("GP36 logs up to a node's frame are the result, read as any large result, also by the callback's and the task's references", async () => {
      const node = await plainNode(generation);
      const { id } = await submitTask("go-p2p/get_logs", { minerName: "x", lines: 10_000 });
      const { id: replyTo } = await node.readType("get_logs");
      const logs = { minerName: "x", lines: lines(9_000), hasMore: true };
      node.send("logs", logs, { replyTo });
      const task = await awaitTaskEnd(id);
      const bytes = JSON.stringify(logs).length;
      expect(bytes).toBeGreaterThan(0.9 * FRAME_BYTES_MAX);
      expect(task).toMatchObject({ state: "succeeded", result: null, result_bytes: bytes });
      expect((await api("GET", String(task.result_url))).body).toEqual(logs);
      expect(await peerView(node.keys.id)).toMatchObject({ successes: 1, failures: 0 });
    });

    it("GP36 a large result is sealed to the key that the task gives", async () => {
      const node = await plainNode(generation);
      const caller = newKeyPair(platformRandom);
      const { id } = await submitTask("go-p2p/get_logs", {}, { seal_to: toHex(caller.publicKey) });
      const { id: replyTo } = await node.readType("get_logs");
      const logs = { minerName: "x", lines: lines(4_000), hasMore: false };
      node.send("logs", logs, { replyTo });
      const task = await awaitTaskEnd(id);
      const response = await exports.default.fetch(`http://mesh.test/v1/tasks/${task.id}/result`, {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      const opened = openResult(new Uint8Array(await response.arrayBuffer()), caller.privateKey);
      expect(JSON.parse(fromUtf8(present(opened)) ?? "")).toEqual(logs);
    });

    it("GP36 when the store fails, the task is interrupted and done again, and the node is not blamed", async () => {
      const node = await plainNode(generation);
      const logs = { minerName: "x", lines: lines(4_000), hasMore: false };
      const { id } = await submitTask("go-p2p/get_logs", {});
      const first = await node.readType("get_logs");
      const put = vi.spyOn(env.BLOBS, "put").mockRejectedValueOnce(new Error("KV is down"));
      node.send("logs", logs, { replyTo: first.id });
      const second = await node.readType("get_logs");
      put.mockRestore();
      node.send("logs", logs, { replyTo: second.id });
      const task = await awaitTaskEnd(id);
      expect(task).toMatchObject({ state: "succeeded", result_bytes: JSON.stringify(logs).length });
      expect(await peerView(node.keys.id)).toMatchObject({ failures: 0 });
    });

    it("GP38 the reply to a request to one peer is returned whole, up to a node's frame", async () => {
      const node = await plainNode(generation);
      const asked = api("POST", `/v1/peers/${node.keys.id}/requests`, { type: "get_logs" });
      const { id: replyTo } = await node.readType("get_logs");
      const logs = { minerName: "x", lines: lines(9_000), hasMore: true };
      node.send("logs", logs, { replyTo });
      expect(await asked).toMatchObject({ status: 200, body: { type: "logs", payload: logs } });
    });

    it("AS4 a node without the muster field gets no tasks of other kinds", async () => {
      const node = await plainNode(generation);
      for (const kind of ["echo", "get_stats", "go-p2p/ping", "go-p2p/toString"])
        expect(await submitTask(kind, null)).toMatchObject({ state: "queued" });
      expect(await node.catchUp()).toEqual([]);
    });

    it("HS16 only a reply that matches the request is a result", async () => {
      const node = await plainNode(generation);
      const { id } = await submitTask("go-p2p/get_stats", null);
      const { id: replyTo } = await node.readType("get_stats");
      node.send("logs", { lines: ["not what was asked"] }, { replyTo });
      node.send("stats", { nodeId: "to nothing" });
      node.send("stats", { nodeId: "to another" }, { replyTo: crypto.randomUUID() });
      expect(await node.catchUp()).toEqual([]);
      expect((await api("GET", `/v1/tasks/${id}`)).body).toMatchObject({ state: "running" });
      node.send("stats", stats, { replyTo });
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", result: stats });
      // The request is answered: a second reply answers no request.
      node.send("stats", { nodeId: "again" }, { replyTo });
      expect(await node.catchUp()).toEqual([]);
      expect(await awaitTaskEnd(id)).toMatchObject({ result: stats });
    });

    it("HS16 a reply after the task was canceled is ignored", async () => {
      const node = await plainNode(generation);
      const { id } = await submitTask("go-p2p/get_stats", null);
      const { id: replyTo } = await node.readType("get_stats");
      await api("DELETE", `/v1/tasks/${id}`);
      node.send("stats", stats, { replyTo });
      expect(await node.catchUp()).toEqual([]);
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "cancelled", result: null });
    });
  },
);
