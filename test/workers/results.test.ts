import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fromBase64, fromUtf8, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { MINUTE } from "../../src/base/clock.ts";
import type { Fetch } from "../../src/client/http/api.ts";
import { controller } from "../../src/client/index.ts";
import { uploadResult } from "../../src/client/work/upload-result.ts";
import { newKeyPair } from "../../src/crypto/identity.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { openResult, sealResult } from "../../src/stmf/task-result.ts";
import { coordinatorStub, awaitTaskEnd, TOKEN } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { seededRandom } from "../random.ts";
import { call, callWith, ORIGIN, problemOf } from "./http.ts";
import { waitFor } from "../wait-for.ts";

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const CALLER = newKeyPair(seededRandom(7));
const SEALED = "application/octet-stream";
const big = (bytes: number): string => JSON.stringify("x".repeat(bytes - 2));

/** A peer that has received this task and started it. */
async function offered(form: object = {}) {
  const peer = await GoPeer.join();
  await call<TaskView>("POST", "/v1/tasks", { json: { kind: "render", ...form } });
  const offer = (await peer.readType("task_offer")).payload as unknown as TaskOffer;
  peer.send("task_accept", { task_id: offer.task_id, fence: offer.fence });
  await peer.catchUp();
  return { peer, offer };
}

const bring = (
  { task_id, fence, upload = "" }: TaskOffer,
  raw: BodyInit,
  type = "application/json",
  headers: Readonly<Record<string, string>> = {},
) =>
  call("PUT", `/v1/task-results/${task_id}/${fence}`, {
    raw,
    token: upload,
    headers: { "Content-Type": type, ...headers },
  });

/** 26 MiB without Content-Length. */
const endless = (): ReadableStream<Uint8Array> => {
  let sent = 0;
  return new ReadableStream({
    pull(on) {
      if (sent++ === 26) on.close();
      else on.enqueue(new Uint8Array(1_024 * 1_024));
    },
  });
};

/** Changes the last byte of every chunk. */
const flipping = () =>
  new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, on) => on.enqueue(chunk.fill(0x78, chunk.length - 1)),
  });

const resultOf = (id: string, token?: string) =>
  call("GET", `/v1/tasks/${id}/result`, token === undefined ? {} : { token });

describe("a result that is too large for a message", () => {
  it("AS23 is uploaded by HTTP with its offer's ticket, ends the task, and is read unchanged", async () => {
    const { offer } = await offered();
    const json = big(3 * 1_024 * 1_024);
    expect((await bring(offer, json)).status).toBe(204);
    expect(await awaitTaskEnd(offer.task_id)).toMatchObject({
      state: "succeeded",
      result: null,
      result_bytes: json.length,
      result_sealed: false,
      result_url: `/v1/tasks/${offer.task_id}/result`,
    });
    const read = await resultOf(offer.task_id);
    expect([read.status, read.headers.get("Content-Type"), read.text === json]).toEqual([
      200,
      "application/json",
      true,
    ]);
  });

  it("AS23 is uploaded and read by the SDK, which verifies its digest", async () => {
    const { offer } = await offered();
    const { task_id: taskId, fence, upload: ticket = "" } = offer;
    const fetch: Fetch = (url, init) => exports.default.fetch(new Request(url, init));
    const bytes = utf8(big(400_000));
    const { signal } = new AbortController();
    const attempt = { taskId, fence, ticket, bytes, sealed: false, signal };
    await uploadResult(ORIGIN, fetch, attempt);
    await expect(uploadResult(ORIGIN, fetch, attempt)).rejects.toMatchObject({
      code: "lease_lost",
    });
    const mesh = controller({ url: ORIGIN, token: TOKEN, fetch });
    const task = await mesh.tasks.wait(taskId);
    expect(await mesh.tasks.resultOf(task)).toBe("x".repeat(399_998));
    const changing: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      return new Response(response.body?.pipeThrough(flipping()), response);
    };
    const deceived = controller({ url: ORIGIN, token: TOKEN, fetch: changing });
    await expect(deceived.tasks.result(taskId)).rejects.toMatchObject({ code: "invalid_response" });
  });

  it("AS23 is committed once: a second upload, and one of a lost attempt, is answered with lease_lost", async () => {
    const { peer, offer } = await offered();
    peer.send("task_refuse", { task_id: offer.task_id, fence: offer.fence, reason: "no" });
    await peer.catchUp();
    problemOf(await bring(offer, big(10)), "lease_lost");
    await reset();
    const second = await offered();
    expect((await bring(second.offer, big(10))).status).toBe(204);
    problemOf(await bring(second.offer, big(20)), "lease_lost");
    expect((await resultOf(second.offer.task_id)).text).toBe(big(10));
  });

  it("AS23 is refused without the ticket, or above 25 MiB", async () => {
    const { offer } = await offered();
    for (const upload of ["", "nonsense", `${offer.upload}0`])
      problemOf(await bring({ ...offer, upload }, big(10)), "unauthorized");
    problemOf(await bring({ ...offer, fence: 2 }, big(10)), "unauthorized");
    problemOf(await bring(offer, new Uint8Array(25 * 1_024 * 1_024 + 1)), "payload_too_large");
    problemOf(await bring(offer, endless()), "payload_too_large");
    problemOf(await bring(offer, "x", "text/plain"), "unsupported_media_type");
    problemOf(await resultOf(offer.task_id), "not_found");
  });
});

describe("a large result that is not committed", () => {
  const stored = async () => (await env.BLOBS.list({ prefix: "result:" })).keys.length;

  it("AS23 is refused with a wrong digest, and accepted when it is sent again", async () => {
    const { offer } = await offered();
    const digest = { "Content-Digest": `sha-256=:${"A".repeat(43)}=:` };
    problemOf(await bring(offer, big(10), "application/json", digest), "invalid_request");
    expect((await bring(offer, big(10))).status).toBe(204);
    expect((await resultOf(offer.task_id)).headers.get("Content-Digest")).toMatch(/^sha-256=:/);
  });

  it("AS23 is deleted from the store after an hour; committed results stay", async () => {
    const { offer } = await offered();
    const digest = { "Content-Digest": "sha-256=:other:" };
    await bring(offer, big(10), "application/json", digest);
    await bring(offer, big(10));
    expect(await stored()).toBe(2);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61 * MINUTE });
    await runDurableObjectAlarm(coordinatorStub());
    await waitFor(async () => expect(await stored()).toBe(1));
    expect((await resultOf(offer.task_id)).text).toBe(big(10));
  });

  it("AS23 changes nothing while the store fails, and can be uploaded again", async () => {
    const { offer } = await offered();
    const path = `/v1/task-results/${offer.task_id}/${offer.fence}`;
    const options = {
      raw: big(10),
      token: offer.upload ?? "",
      headers: { "Content-Type": "application/json" },
    };
    const down = { put: () => Promise.reject(new Error("down")) };
    problemOf(await callWith({ BLOBS: down }, "PUT", path, options), "unavailable");
    expect((await call("PUT", path, options)).status).toBe(204);
  });
});

describe("a large result whose store does not answer", () => {
  it("AS23 is answered with unavailable, and is readable once the store answers", async () => {
    const { offer } = await offered();
    await bring(offer, big(10));
    const path = `/v1/tasks/${offer.task_id}/result`;
    const down = { get: () => Promise.reject(new Error("down")) };
    problemOf(await callWith({ BLOBS: down }, "GET", path), "unavailable");
    problemOf(await callWith({ BLOBS: { get: async () => null } }, "GET", path), "not_found");
    expect((await call("GET", path)).text).toBe(big(10));
  });
});

describe("a result for a caller that gave a key", () => {
  const form = { seal_to: toHex(CALLER.publicKey) };
  const opened = (container: Bytes): unknown =>
    JSON.parse(fromUtf8(openResult(container, CALLER.privateKey) ?? new Uint8Array()) ?? "");

  it("AS24 is sealed by the mesh if its peer did not seal it", async () => {
    const { peer, offer } = await offered(form);
    expect(offer.seal_to).toBe(form.seal_to);
    const { task_id, fence } = offer;
    peer.send("task_result", { task_id, fence, ok: true, result: { secret: "é" } });
    const { result, result_sealed } = await awaitTaskEnd(task_id);
    expect(result_sealed).toBe(true);
    expect(JSON.stringify(result)).not.toContain("secret");
    expect(opened(fromBase64(result as string) as Bytes)).toEqual({ secret: "é" });
  });

  it("AS24 must be uploaded sealed if it is large", async () => {
    const { offer } = await offered(form);
    problemOf(await bring(offer, big(10)), "unsupported_media_type");
    const json = new TextEncoder().encode(big(400_000));
    const container = sealResult(json, CALLER.publicKey, seededRandom(3)) as Bytes;
    expect((await bring(offer, container, SEALED)).status).toBe(204);
    expect(await awaitTaskEnd(offer.task_id)).toMatchObject({
      result_sealed: true,
      result_bytes: container.length,
    });
    expect((await resultOf(offer.task_id)).headers.get("Content-Type")).toBe(SEALED);
  });

  it("AS24 is refused with a key of low order", async () => {
    const json = { kind: "render", seal_to: "00".repeat(32) };
    problemOf(await call("POST", "/v1/tasks", { json }), "invalid_request");
  });

  it("AS23 is readable only for its owner", async () => {
    const { peer, offer } = await offered(form);
    const { task_id, fence } = offer;
    peer.send("task_result", { task_id, fence, ok: true, result: 1 });
    await awaitTaskEnd(task_id);
    const made = await call<{ token: string }>("POST", "/v1/tokens", {
      json: { scope: "controller" },
    });
    problemOf(await resultOf(task_id, made.body.token), "not_found");
  });
});
