import { abortAllDurableObjects, evictDurableObject, reset } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { fromUtf8, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { connectPeer, controller, type PeerEvent } from "../../src/client/index.ts";
import type { PeerOptions } from "../../src/client/peer/peer-options.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom, sha256 } from "../../src/crypto/primitives.ts";
import {
  downloadTicket,
  payloadKey,
  payloadTicket,
  readResultSecret,
  uploadTicket,
  type ResultSecret,
} from "../../src/crypto/result-tickets.ts";
import { openBytes } from "../../src/crypto/sealed-stream.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, awaitTaskEnd, peerView, sessionStub, submitTask, TOKEN } from "../durable/api.ts";
import { MESH_KEYS, NoisePeer } from "../durable/noise-peer.ts";
import { sdkPlatform } from "../durable/sdk-socket.ts";
import { present } from "../must.ts";
import { SCALE } from "../session/arbitraries.ts";
import { HostileGateway, type Attack, type Passing } from "./hostile-gateway.ts";
import { call, gatewayWith, ORIGIN, problemOf } from "./http.ts";

afterEach(async () => {
  await reset();
});

/** What stock Noise libraries take. */
const MAX_FRAME = 65_535;
const LARGE = "x".repeat(100_000);

/** A peer that refuses larger frames, as a stock Noise library does. */
async function limitedPeer(keys = newKeyPair(platformRandom)): Promise<NoisePeer> {
  const peer = await NoisePeer.join({ keys, hello: { max_frame: MAX_FRAME } });
  peer.socket.addEventListener("message", ({ data }) => {
    if (typeof data !== "string" && (data as ArrayBuffer).byteLength > MAX_FRAME)
      peer.socket.close(4000, "too large");
  });
  return peer;
}

const offerOf = async (peer: NoisePeer): Promise<TaskOffer> =>
  (await peer.readType("task_offer")).payload as unknown as TaskOffer;
const secretOf = ({ upload = "" }: TaskOffer): ResultSecret => present(readResultSecret(upload));

async function fetchPayload({ task_id, fence }: TaskOffer, token: string) {
  const url = `${ORIGIN}/v1/task-payloads/${task_id}/${fence}`;
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await exports.default.fetch(url, { headers });
  return { status: answer.status, headers: answer.headers, bytes: await bytesIn(answer) };
}

const bytesIn = async (answer: Response) => new Uint8Array(await answer.arrayBuffer());

/** What a peer makes of an offer: its payload's text, inline or fetched. */
async function payloadOf(offer: TaskOffer): Promise<string> {
  if (offer.payload_ref === undefined) return JSON.stringify(offer.payload);
  const secret = secretOf(offer);
  const { status, bytes } = await fetchPayload(offer, payloadTicket(secret));
  expect(status).toBe(200);
  const payload = present(await openBytes(bytes, payloadKey(secret)));
  const said = { bytes: payload.length, sha256: toBase64(sha256(payload)) };
  expect(offer.payload_ref).toEqual(said);
  return present(fromUtf8(payload));
}

const problemAt = ({ task_id, fence }: TaskOffer, token: string) =>
  call("GET", `/v1/task-payloads/${task_id}/${fence}`, { token });

describe("a peer that takes no frame of more than 65,535 bytes", () => {
  it("NX11 NX12 gets a larger payload by reference, again after hibernation, and does the task", async () => {
    const peer = await limitedPeer();
    for (const hibernates of [false, true]) {
      if (hibernates) await evictDurableObject(await sessionStub(peer.keys.id));
      const { id } = await submitTask("work", LARGE);
      const offer = await offerOf(peer);
      expect(offer).not.toHaveProperty("payload");
      expect(await payloadOf(offer)).toBe(JSON.stringify(LARGE));
      const attempt = { task_id: id, fence: offer.fence };
      peer.send("task_accept", attempt);
      peer.send("task_result", { ...attempt, ok: true, result: 1 });
      expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", result: 1 });
    }
    await submitTask("work", "short");
    expect(await offerOf(peer)).toMatchObject({ payload: "short" });
  });

  it("NX11 has its limit for the session: the next one of the same key may have none", async () => {
    const keys = newKeyPair(platformRandom);
    const first = await limitedPeer(keys);
    await submitTask("work", LARGE);
    expect(await offerOf(first)).toHaveProperty("payload_ref");
    first.close();
    await first.closed;
    const second = await NoisePeer.join({ keys });
    expect(await offerOf(second)).toMatchObject({ payload: LARGE });
  });

  it("NX12 reads the payload as it was submitted, to the last digit and space", async () => {
    const peer = await limitedPeer();
    const payload = `{ "n": 9007199254740993.10,  "text": ${JSON.stringify("é😀".repeat(30_000))} }`;
    await call("POST", "/v1/tasks", {
      raw: `{"kind": "work", "payload": ${payload}}`,
      headers: { "Content-Type": "application/json" },
    });
    expect(await payloadOf(await offerOf(peer))).toBe(payload);
  });

  it("NX12 also reads it after a restart of the mesh, and while its session is broken", async () => {
    const peer = await limitedPeer();
    await submitTask("work", LARGE);
    const offer = await offerOf(peer);
    peer.send("task_accept", { task_id: offer.task_id, fence: offer.fence });
    expect(await payloadOf(offer)).toBe(JSON.stringify(LARGE));
    await abortAllDurableObjects();
    expect(await payloadOf(offer)).toBe(JSON.stringify(LARGE));
  });

  it("NX14 gets no request that is larger; its caller is told, and the session goes on", async () => {
    const peer = await limitedPeer();
    const path = `/v1/peers/${peer.keys.id}/requests`;
    const refused = await call("POST", path, { json: { type: "get_logs", payload: LARGE } });
    expect(problemOf(refused, "payload_too_large").detail).toContain("max_frame");
    const asked = call("POST", path, { json: { type: "get_logs", payload: "short" } });
    const request = await peer.readType("get_logs");
    peer.send("logs", ["a"], { replyTo: request.id });
    expect((await asked).body).toEqual({ type: "logs", payload: ["a"] });
  });

  it.each([0, 8_191, 1_048_577, 65_535.5, -1, "65535", null])(
    "NX11 is refused in its handshake with the limit %j",
    async (limit) => {
      const peer = await NoisePeer.connect({ hello: { max_frame: limit } });
      await peer.begin();
      await peer.prove();
      expect(await peer.closed).toMatchObject({
        code: 4400,
        reason: expect.stringContaining("max_frame"),
      });
    },
  );
});

describe("the ticket for a payload", () => {
  /** An attempt whose payload was offered by reference. */
  async function attempted() {
    const peer = await limitedPeer();
    const { id } = await submitTask("work", LARGE);
    const offer = await offerOf(peer);
    peer.send("task_accept", { task_id: id, fence: offer.fence });
    expect(await payloadOf(offer)).toBe(JSON.stringify(LARGE));
    return { peer, offer, ticket: payloadTicket(secretOf(offer)) };
  }

  it("NX12 is valid for its own attempt and purpose only, and nothing else reads the payload", async () => {
    const { offer, ticket } = await attempted();
    const secret = secretOf(offer);
    const content = { bytes: 1, sha256: toBase64(sha256(utf8("1"))) };
    for (const token of [
      "nonsense",
      `${ticket}0`,
      present(offer.upload),
      uploadTicket(secret, content),
      downloadTicket(secret),
      payloadTicket({ ...secret, secret: platformRandom(32) }),
      payloadTicket({ ...secret, peerId: "0".repeat(32) }),
      TOKEN,
    ])
      problemOf(await problemAt(offer, token), "unauthorized");
    problemOf(await problemAt({ ...offer, fence: offer.fence + 1 }, ticket), "unauthorized");
    problemOf(await problemAt({ ...offer, task_id: crypto.randomUUID() }, ticket), "unauthorized");
  });

  it("NX12 seals the answer: without the offer's secret it reads nothing", async () => {
    const { offer, ticket } = await attempted();
    const { bytes, headers } = await fetchPayload(offer, ticket);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(toHex(bytes)).not.toContain(toHex(utf8("xxxxxxxx")));
    const { secret } = secretOf(offer);
    expect(await openBytes(bytes, { secret, purpose: "upload" })).toBeNull();
  });

  it("NX19 reads the payload 16 times a minute, without those that the coordinator did not answer", async () => {
    const [first, second] = [await attempted(), await attempted()];
    const gateway = gatewayWith({});
    const readBy = ({ offer, ticket }: typeof first) =>
      gateway("GET", `/v1/task-payloads/${offer.task_id}/${offer.fence}`, { token: ticket });
    for (let reads = 0; reads < 16; reads++) expect((await readBy(first)).status).toBe(200);
    const refused = problemOf(await readBy(first), "rate_limited");
    expect(refused.retry_after).toBe(4);
    expect((await readBy(second)).status).toBe(200);
  });

  it("NX19 reads it as often as before after the coordinator did not answer", async () => {
    const one = await attempted();
    let isDown = true;
    const down = { execute: () => Promise.reject(new Error("down")) };
    const COORDINATOR = {
      idFromName: (name: string) => env.COORDINATOR.idFromName(name),
      get: (id: DurableObjectId) => (isDown ? down : env.COORDINATOR.get(id)),
    };
    const gateway = gatewayWith({ COORDINATOR });
    const path = `/v1/task-payloads/${one.offer.task_id}/${one.offer.fence}`;
    const readIt = () => gateway("GET", path, { token: one.ticket });
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    for (let reads = 0; reads < 20; reads++) problemOf(await readIt(), "unavailable");
    logged.mockRestore();
    isDown = false;
    expect((await readIt()).status).toBe(200);
  });

  it("NX12 ends with the attempt", async () => {
    const { peer, offer, ticket } = await attempted();
    const attempt = { task_id: offer.task_id, fence: offer.fence };
    peer.send("task_result", { ...attempt, ok: true, result: 1 });
    await awaitTaskEnd(offer.task_id);
    problemOf(await problemAt(offer, ticket), "lease_lost");
  });

  it("NX12 ends with the rights of its peer", async () => {
    const { peer, offer, ticket } = await attempted();
    expect((await peerView(peer.keys.id)).state).toBe("active");
    await api("POST", `/v1/peers/${peer.keys.id}/revoke`);
    problemOf(await problemAt(offer, ticket), "revoked");
  });
});

/** An SDK peer with a limit for frames, over real sockets. */
async function sdkPeer(options: Partial<PeerOptions>, attack: Attack = {}) {
  const gateway = new HostileGateway();
  gateway.attack = attack;
  const events: PeerEvent[] = [];
  const peer = connectPeer({
    url: ORIGIN,
    meshKey: toHex(MESH_KEYS.publicKey),
    maxFrame: MAX_FRAME,
    onEvent: (event) => events.push(event),
    platform: sdkPlatform(gateway.fetch),
    ...options,
  });
  onTestFinished(() => peer.close());
  await peer.ready;
  return { peer, events, gateway };
}

const mesh = () =>
  controller({
    url: ORIGIN,
    token: TOKEN,
    fetch: async (url, init) =>
      (await import("cloudflare:workers")).exports.default.fetch(url, init),
  });

describe("an SDK peer with a limit for frames", () => {
  it("NX11 NX17 NX18 does tasks of every size, and its sessions go on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8_192, max: 80_000 }),
        fc.array(fc.tuple(fc.nat(200_000), fc.nat(200_000)), { minLength: 2, maxLength: 4 }),
        async (maxFrame, sizes) => {
          const { peer, events } = await sdkPeer({
            maxFrame,
            slots: 4,
            handlers: { work: (payload) => "r".repeat((payload as [number, string])[0]) },
          });
          const results = await Promise.all(
            sizes.map(([payload, result]) =>
              mesh().run<string>("work", [result, "p".repeat(payload)]),
            ),
          );
          expect(results.map(({ length }) => length)).toEqual(sizes.map(([, result]) => result));
          expect(events.filter(({ type }) => type === "disconnected")).toEqual([]);
          await peer.close();
        },
      ),
      { numRuns: 8 * SCALE },
    );
  });

  it("NX13 a controller gets large results of its own tasks over HTTP, and knows what is left out", async () => {
    const keys = newKeyPair(platformRandom);
    await api("PUT", `/v1/allowlist/${toHex(keys.publicKey)}`, { roles: ["controller"] });
    const given = { privateKey: keys.privateKey, role: "controller" } as const;
    const giver = await sdkPeer({ ...given, maxFrame: 20_000 });
    await sdkPeer({ handlers: { work: (payload) => [payload, LARGE] } });
    const payload = "p".repeat(15_000);
    expect(await giver.peer.tasks.run("work", payload)).toEqual([payload, LARGE]);
    const { id } = await giver.peer.tasks.submit("work", payload, { tracestate: "a=1" });
    const ended = await giver.peer.tasks.wait(id);
    expect(ended).toMatchObject({ state: "succeeded", result: null });
    expect(ended.result_bytes).toBeGreaterThan(115_000);
    expect(await giver.peer.tasks.result(id)).toEqual([payload, LARGE]);
    const small = await sdkPeer({ ...given, maxFrame: 8_192 });
    expect(await small.peer.tasks.get(id)).toMatchObject({ payload: null, omitted: ["payload"] });
  });

  it("NX18 a sealed result of any size is opened by the key that the caller gave", async () => {
    const keys = newKeyPair(platformRandom);
    await sdkPeer({ handlers: { work: () => LARGE } });
    expect(await mesh().run("work", null, { privateKey: keys.privateKey })).toBe(LARGE);
  });
});

describe("a gateway that ends TLS and is not the mesh", () => {
  const isPayload = ({ path, status }: Passing): boolean =>
    path.startsWith("/v1/task-payloads/") && status === 200;
  const changing = (change: (seen: Passing) => Partial<Passing>): Attack => ({
    response: (seen) => (isPayload(seen) ? change(seen) : null),
  });

  it("NX12 reads nothing of a payload", async () => {
    const mark = "the secret of the payload ";
    const { gateway } = await sdkPeer({ handlers: { work: (payload) => String(payload).length } });
    expect(await mesh().run("work", mark.repeat(4_000))).toBe(4_000 * mark.length);
    expect(gateway.read.length).toBeGreaterThanOrEqual(2);
    expect(gateway.hasRead(mark)).toBe(false);
  });

  it.each([
    ["changes a bit", ({ body }: Passing) => ({ body: body.with(99, (body[99] as number) ^ 1) })],
    ["cuts it off", ({ body }: Passing) => ({ body: body.slice(0, -1) })],
    ["sends its own bytes", () => ({ body: utf8('"forged"') })],
    ["sends nothing", () => ({ body: new Uint8Array() })],
  ] as const)("NX17 gives no worker a payload of its own when it %s", async (_, change) => {
    const seen: unknown[] = [];
    await sdkPeer({ handlers: { work: (payload) => seen.push(payload) } }, changing(change));
    const { id } = await submitTask("work", LARGE, { max_attempts: 2, backoff: NO_PAUSE });
    const ended: TaskView = await awaitTaskEnd(id);
    expect(ended).toMatchObject({ state: "failed", attempts_used: 2 });
    expect(ended.error).toContain("the payload could not be read");
    expect(seen).toEqual([]);
  });
});

const NO_PAUSE = { first_seconds: 0, max_seconds: 0 };
