import { abortAllDurableObjects, reset, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fromBase64, fromUtf8, toBase64, toHex, utf8, type Bytes } from "../../src/base/bytes.ts";
import { MINUTE } from "../../src/base/clock.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom, sha256 } from "../../src/crypto/primitives.ts";
import {
  readResultSecret,
  uploadKey,
  uploadTicket,
  type ResultSecret,
} from "../../src/crypto/result-tickets.ts";
import { sealBytes, sealedStream } from "../../src/crypto/sealed-stream.ts";
import { contentDigest } from "../../src/protocol/content-digest.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import type { ResultContent } from "../../src/protocol/result-content.ts";
import { openResult, sealResult } from "../../src/stmf/task-result.ts";
import { coordinatorStub, awaitTaskEnd, rows } from "../durable/api.ts";
import { GoPeer } from "../durable/go-peer.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { call, callWith, problemOf } from "./http.ts";
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

const jsonBytes = (text: string): Bytes => utf8(text);
const contentOf = (bytes: Uint8Array): ResultContent => ({
  bytes: bytes.length,
  sha256: toBase64(sha256(bytes)),
});
const secretOf = ({ upload = "" }: TaskOffer): ResultSecret => present(readResultSecret(upload));
const sealed = (offer: TaskOffer, bytes: Bytes): Promise<Bytes> =>
  sealBytes(bytes, uploadKey(secretOf(offer)), platformRandom);

interface Brought {
  /** The bytes that the ticket names; default: those that are sent. */
  readonly named?: ResultContent;
  readonly token?: string;
  readonly raw?: BodyInit;
  readonly type?: string;
}

/** Uploads a result as the SDK does, except for what a test changes. */
async function bring(offer: TaskOffer, bytes: Bytes, changed: Brought = {}) {
  const { named = contentOf(bytes), type = SEALED } = changed;
  return call("PUT", `/v1/task-results/${offer.task_id}/${offer.fence}`, {
    raw: changed.raw ?? (await sealed(offer, bytes)),
    token: changed.token ?? uploadTicket(secretOf(offer), named),
    headers: { "Content-Type": type },
  });
}

/** The session names the uploaded bytes. */
async function commit(peer: GoPeer, offer: TaskOffer, bytes: Bytes, more: object = {}) {
  const { task_id, fence } = offer;
  const uploaded = contentOf(bytes);
  peer.send("task_result", { task_id, fence, ok: true, result: null, uploaded, ...more });
  await peer.catchUp();
}

/** 26 MiB that are sealed for the offer, without Content-Length. */
function endless(offer: TaskOffer): ReadableStream<Uint8Array> {
  let sent = 0;
  const plain = new ReadableStream<Uint8Array>({
    pull(on) {
      if (sent++ === 26) on.close();
      else on.enqueue(new Uint8Array(1_024 * 1_024));
    },
  });
  return sealedStream(plain, uploadKey(secretOf(offer)), platformRandom);
}

const resultOf = (id: string, token?: string) =>
  call("GET", `/v1/tasks/${id}/result`, token === undefined ? {} : { token });

describe("a result that is too large for a message", () => {
  it("AS23 is uploaded by HTTP, committed by the session, and read unchanged", async () => {
    const { peer, offer } = await offered();
    const json = big(3 * 1_024 * 1_024);
    expect((await bring(offer, jsonBytes(json))).status).toBe(204);
    expect((await call<TaskView>("GET", `/v1/tasks/${offer.task_id}`)).body.state).toBe("running");
    problemOf(await resultOf(offer.task_id), "not_found");
    await commit(peer, offer, jsonBytes(json));
    const content = contentOf(jsonBytes(json));
    expect(await awaitTaskEnd(offer.task_id)).toMatchObject({
      state: "succeeded",
      result: null,
      result_bytes: content.bytes,
      result_sha256: content.sha256,
      result_fence: offer.fence,
      result_signature: expect.stringMatching(/^[0-9a-f]{128}$/),
      result_sealed: false,
      result_url: `/v1/tasks/${offer.task_id}/result`,
    });
    const read = await resultOf(offer.task_id);
    expect([read.status, read.headers.get("Content-Type"), read.text === json]).toEqual([
      200,
      "application/json",
      true,
    ]);
    expect(read.headers.get("Content-Digest")).toBe(contentDigest(content.sha256));
  });

  it("AS23 is committed once: a second upload, and one of a lost attempt, is answered with lease_lost", async () => {
    const { peer, offer } = await offered();
    peer.send("task_refuse", { task_id: offer.task_id, fence: offer.fence, reason: "no" });
    await peer.catchUp();
    problemOf(await bring(offer, jsonBytes(big(10))), "lease_lost");
    await reset();
    const second = await offered();
    expect((await bring(second.offer, jsonBytes(big(10)))).status).toBe(204);
    await commit(second.peer, second.offer, jsonBytes(big(10)));
    problemOf(await bring(second.offer, jsonBytes(big(20))), "lease_lost");
    expect((await resultOf(second.offer.task_id)).text).toBe(big(10));
  });

  it("BK20 is uploaded under a fence that jumped ahead because the mesh was restored from a backup", async () => {
    await call<TaskView>("POST", "/v1/tasks", { json: { kind: "render" } });
    await rows(`INSERT INTO settings (key, value) VALUES ('restore_pending', '1')`);
    await abortAllDurableObjects();
    const peer = await GoPeer.join();
    const offer = (await peer.readType("task_offer")).payload as unknown as TaskOffer;
    expect(offer.fence).toBeGreaterThan(1e12);
    peer.send("task_accept", { task_id: offer.task_id, fence: offer.fence });
    await peer.catchUp();
    expect((await bring(offer, jsonBytes(big(10)))).status).toBe(204);
    await commit(peer, offer, jsonBytes(big(10)));
    expect((await awaitTaskEnd(offer.task_id)).state).toBe("succeeded");
    expect(await rows(`SELECT key FROM settings WHERE key LIKE 'restore%' ORDER BY key`)).toEqual([
      { key: "restored_at" },
    ]);
  });

  it("AS100 is refused without the ticket for exactly its bytes", async () => {
    const { offer } = await offered();
    const bytes = jsonBytes(big(10));
    const ticket = uploadTicket(secretOf(offer), contentOf(bytes));
    const [peerId = "", , , mac = ""] = ticket.split(".");
    const { sha256: other } = contentOf(jsonBytes(big(11)));
    for (const token of [
      "nonsense",
      `${ticket}0`,
      `${peerId}.11.${other}.${mac}`,
      `${peerId}.${mac}`,
    ])
      problemOf(await bring(offer, bytes, { token }), "unauthorized");
    problemOf(await bring({ ...offer, fence: 2 }, bytes), "unauthorized");
    problemOf(await bring(offer, bytes, { type: "application/json" }), "unsupported_media_type");
    problemOf(await resultOf(offer.task_id), "not_found");
  });

  it("AS107 of an SDK that sends the offer's secret as its ticket is refused with the advice to update", async () => {
    const { offer } = await offered();
    const { upload: token = "" } = offer;
    const old = { token, raw: big(10), type: "application/json" };
    const refused = problemOf(await bring(offer, jsonBytes(big(10)), old), "unauthorized");
    expect(refused.detail).toContain("update the peer's SDK");
  });

  it("AS23 is refused above 25 MiB", { timeout: 300_000 }, async () => {
    const { offer } = await offered();
    const limit = 25 * 1_024 * 1_024;
    const over = new Uint8Array(limit + 1);
    problemOf(await bring(offer, over), "unauthorized");
    const named = { ...contentOf(over), bytes: limit };
    problemOf(await bring(offer, over, { named }), "payload_too_large");
    problemOf(
      await bring(offer, over, { named, raw: new Uint8Array(limit + 8_192) }),
      "payload_too_large",
    );
    problemOf(await bring(offer, over, { named, raw: endless(offer) }), "invalid_request");
    problemOf(await resultOf(offer.task_id), "not_found");
  });
});

describe("a large result that is not committed", () => {
  const stored = async () => (await env.BLOBS.list({ prefix: "result:" })).keys.length;
  const wanted = jsonBytes(big(400_000));

  it.each([
    [
      "other bytes of the same length",
      async (offer: TaskOffer) => sealed(offer, wanted.with(9, 0x79)),
    ],
    ["more bytes", async (offer: TaskOffer) => sealed(offer, jsonBytes(big(400_001)))],
    ["fewer bytes", async (offer: TaskOffer) => sealed(offer, wanted.slice(0, -1))],
    ["no bytes", async () => new Uint8Array()],
    ["bytes that are not sealed", async () => wanted],
    ["a cut off body", async (offer: TaskOffer) => (await sealed(offer, wanted)).slice(0, -1)],
    [
      "a changed bit",
      async (offer: TaskOffer) => {
        const body = await sealed(offer, wanted);
        return body.with(300_000, (body[300_000] as number) ^ 1);
      },
    ],
    [
      "bytes sealed with another secret",
      async () => {
        const secret = seededRandom(4)(32);
        return sealBytes(wanted, { secret, purpose: "upload" }, platformRandom);
      },
    ],
  ] as const)(
    "AS100 %s than the ticket names are refused, and the right ones are accepted afterwards",
    async (_, body) => {
      const { peer, offer } = await offered();
      const raw = await body(offer);
      const logged = vi.spyOn(console, "error").mockImplementation(() => {});
      problemOf(await bring(offer, wanted, { raw }), "invalid_request");
      expect(logged).not.toHaveBeenCalled(); // the sender's fault is no failure of the store
      logged.mockRestore();
      await commit(peer, offer, wanted);
      expect((await call<TaskView>("GET", `/v1/tasks/${offer.task_id}`)).body.state).toBe(
        "running",
      );
      expect((await bring(offer, wanted)).status).toBe(204);
      await commit(peer, offer, wanted);
      expect((await resultOf(offer.task_id)).text).toBe(big(400_000));
    },
  );

  it("AS101 is not committed with another digest or length than the session names", async () => {
    const { peer, offer } = await offered();
    expect((await bring(offer, wanted)).status).toBe(204);
    for (const other of [wanted.with(9, 0x79), jsonBytes(big(400_001))]) {
      await commit(peer, offer, other);
      expect((await call<TaskView>("GET", `/v1/tasks/${offer.task_id}`)).body.state).toBe(
        "running",
      );
    }
    await commit(peer, offer, wanted);
    expect((await awaitTaskEnd(offer.task_id)).state).toBe("succeeded");
  });

  it("AS23 is deleted from the store after an hour; committed results stay", async () => {
    const { peer, offer } = await offered();
    expect((await bring(offer, jsonBytes(big(11)))).status).toBe(204);
    expect((await bring(offer, jsonBytes(big(10)))).status).toBe(204);
    await commit(peer, offer, jsonBytes(big(10)));
    expect(await stored()).toBe(2);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61 * MINUTE });
    await runDurableObjectAlarm(coordinatorStub());
    await waitFor(async () => expect(await stored()).toBe(1));
    expect((await resultOf(offer.task_id)).text).toBe(big(10));
  });

  it("AS23 changes nothing while the store fails, and can be uploaded again", async () => {
    const { offer } = await offered();
    const path = `/v1/task-results/${offer.task_id}/${offer.fence}`;
    const bytes = jsonBytes(big(10));
    const options = {
      raw: await sealed(offer, bytes),
      token: uploadTicket(secretOf(offer), contentOf(bytes)),
      headers: { "Content-Type": SEALED },
    };
    const down = { put: () => Promise.reject(new Error("down")) };
    problemOf(await callWith({ BLOBS: down }, "PUT", path, options), "unavailable");
    expect((await call("PUT", path, options)).status).toBe(204);
  });
});

describe("a large result whose store does not answer", () => {
  it("AS23 is answered with unavailable, and is readable once the store answers", async () => {
    const { peer, offer } = await offered();
    await bring(offer, jsonBytes(big(10)));
    await commit(peer, offer, jsonBytes(big(10)));
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
    expect(opened(fromBase64(result as unknown as string) as Bytes)).toEqual({ secret: "é" });
  });

  it("AS24 must be uploaded sealed if it is large", async () => {
    const { peer, offer } = await offered(form);
    problemOf(await bring(offer, jsonBytes(big(10))), "invalid_request");
    const json = new TextEncoder().encode(big(400_000));
    const container = sealResult(json, CALLER.publicKey, seededRandom(3)) as Bytes;
    expect((await bring(offer, container)).status).toBe(204);
    await commit(peer, offer, container, { sealed: true });
    expect(await awaitTaskEnd(offer.task_id)).toMatchObject({
      result_sealed: true,
      result_bytes: container.length,
    });
    expect((await resultOf(offer.task_id)).headers.get("Content-Type")).toBe(SEALED);
  });

  it("AS24 is refused with a key of low order", async () => {
    const json = { kind: "render", seal_to: "00".repeat(32) };
    problemOf(await call("POST", "/v1/tasks", { json }), "bad_key");
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
