import { abortAllDurableObjects, reset, runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PeerSession } from "../../durable/peer-session.ts";
import { toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  DIAL_BACKOFF_INITIAL,
  DIAL_CONNECT_TIMEOUT,
  DIALED_SESSIONS_DEFAULT,
  PING_INTERVAL,
  PONG_TIMEOUT,
} from "../../src/protocol/constants.ts";
import type { DialView } from "../../src/protocol/http.ts";
import { present } from "../must.ts";
import {
  api,
  coordinatorStub,
  submitTask,
  peerView,
  pointers,
  rows,
  sessionStub,
  awaitTaskEnd,
  until,
} from "./api.ts";
import { failSessionEnds, Timers } from "./faults.ts";
import { GoPeer } from "./go-peer.ts";
import { Outside } from "./listening-node.ts";

let outside: Outside;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  outside = new Outside();
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

const HOST = "node.example:9091";
const URL = `wss://${HOST}/ws`;

const dial = async (url: string = URL, more: object = {}): Promise<DialView> =>
  (await api<DialView>("POST", "/v1/peers", { url, ...more })).body;

const dials = async (): Promise<DialView[]> =>
  (await api<{ dials: DialView[] }>("GET", "/v1/dials")).body.dials;
const onlyDial = async (): Promise<DialView> => present((await dials())[0]);

/** Waits until the one address is in this state. */
const waitForState = (state: DialView["state"]): Promise<DialView> =>
  until(onlyDial, (address) => address.state === state);

/** Advances the clock and runs the coordinator's alarm. */
async function runCoordinatorAfter(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(coordinatorStub());
}

/** The object that dials an address. */
const dialObject = ({ id }: DialView) =>
  env.PEER_SESSION.get(env.PEER_SESSION.idFromName(`dial:${id}`));

describe("a node that listens", () => {
  it("DL5 a dialed node proves its key by its pong and is then a peer like any other", async () => {
    const node = outside.node(HOST);
    expect(await dial()).toMatchObject({ url: URL, state: "dialling" });
    expect(await waitForState("connected")).toMatchObject({
      peer_id: node.keys.id,
      public_key: node.publicKey,
    });
    expect(node.heard.map(({ type }) => type)).toEqual(["handshake", "ping"]);
    expect(await peerView(node.keys.id)).toMatchObject({
      state: "active",
      protocol: "go-p2p/1.0",
      address: URL,
      hops: 1,
    });
    await until(pointers, ({ length }) => length === 1);
    expect(outside.fetched).toMatchObject([
      { url: `https://${HOST}/ws`, init: { redirect: "manual" } },
    ]);
  });

  it("DL5 a dialed node without a pong is not a peer, whatever else it answers", async () => {
    const node = outside.node(HOST, { stopsBefore: "pong" });
    const timers = new Timers(10_000);
    const registered = await dial(URL, { public_key: node.publicKey });
    await node.hears("ping");
    await timers.ring(dialObject(registered));
    expect(await waitForState("waiting")).toMatchObject({
      failures: 1,
      last_error: expect.stringMatching(/^proof_failed: /),
    });
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(node.closes).toMatchObject([{ code: 4401 }]);
    expect(await peerView(node.keys.id)).toMatchObject({ state: "discovered", connected: false });
  });

  it("DL5 a dialed node performs go-p2p requests as tasks", async () => {
    const node = outside.node(HOST);
    await dial();
    await waitForState("connected");
    const { id } = await submitTask("go-p2p/get_stats", null);
    const request = await node.hears("get_stats");
    await node.send("stats", { uptime: 7 }, { replyTo: request.id });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", result: { uptime: 7 } });
  });

  it("DL5 a dialed node that announces Muster gets a welcome and runs tasks", async () => {
    const node = outside.node(HOST, { muster: { v: 1, capabilities: ["gpu"], slots: 3 } });
    await dial();
    await waitForState("connected");
    expect(await node.hears("welcome")).toMatchObject({ payload: { peer_id: node.keys.id } });
    const { id } = await submitTask("echo", 5, { requirements: { capabilities: ["gpu"] } });
    const { payload } = await node.hears("task_offer");
    const { fence } = payload as { fence: number };
    await node.send("task_accept", { task_id: id, fence });
    await node.send("task_result", { task_id: id, fence, ok: true, result: 5 });
    expect(await awaitTaskEnd(id)).toMatchObject({ state: "succeeded", result: 5 });
  });

  it("DL5 a dialed peer is subject to strikes, liveness checks and sender checks like any other", async () => {
    const node = outside.node(HOST);
    await dial();
    await waitForState("connected");
    for (let n = 0; n < 3; n++) await node.send("welcome", {});
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(node.closes).toMatchObject([{ code: 4400 }]);
    // The node sees the end of its session before the coordinator does.
    await waitForState("waiting");
    expect(await peerView(node.keys.id)).toMatchObject({ state: "stale" });
    expect(await onlyDial()).toMatchObject({ state: "waiting", failures: 1 });
  });

  it("DL5 a dialed peer that stops answering is found by its object's alarm", async () => {
    const node = outside.node(HOST);
    const registered = await dial();
    await waitForState("connected");
    Object.assign(node.options, { stopsBefore: "pong" });
    for (const ms of [PING_INTERVAL, PONG_TIMEOUT, PONG_TIMEOUT]) {
      vi.setSystemTime(Date.now() + ms);
      expect(await runDurableObjectAlarm(dialObject(registered))).toBe(true);
    }
    expect(await peerView(node.keys.id)).toMatchObject({ state: "stale" });
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(node.closes).toMatchObject([{ code: 4408 }]);
  });
});

describe("dialing again", () => {
  it("DL1 a peer that disconnected is dialed again and gets a newer epoch", async () => {
    const node = outside.node(HOST);
    await dial();
    await waitForState("connected");
    await node.close();
    await waitForState("waiting");
    expect(await peerView(node.keys.id)).toMatchObject({ state: "stale" });
    await runCoordinatorAfter(DIAL_BACKOFF_INITIAL);
    await waitForState("connected");
    expect(node.opened).toBe(2);
    expect(await rows("SELECT epoch, state FROM peers")).toMatchObject([
      { epoch: 2, state: "active" },
    ]);
  });

  it("DL8 a peer is dialed again when the object that held its session lost its memory", async () => {
    const node = outside.node(HOST);
    const registered = await dial();
    await waitForState("connected");
    await abortAllDurableObjects();
    expect(await peerView(node.keys.id)).toMatchObject({ state: "active" });
    vi.setSystemTime(Date.now() + PING_INTERVAL);
    expect(await runDurableObjectAlarm(dialObject(registered))).toBe(true);
    expect(await peerView(node.keys.id)).toMatchObject({ state: "stale" });
    await runCoordinatorAfter(DIAL_BACKOFF_INITIAL);
    expect(await waitForState("connected")).toMatchObject({ attempts: 2 });
    expect(node.opened).toBe(2);
  });

  it("DL8 the object of an ended dialed session stores nothing", async () => {
    const node = outside.node(HOST);
    const registered = await dial();
    await waitForState("connected");
    await node.close();
    await waitForState("waiting");
    expect(await runDurableObjectAlarm(dialObject(registered))).toBe(false);
  });

  it("DL9 a session that the peer opened itself is not replaced by a dial", async () => {
    const keys = newKeyPair(platformRandom);
    const own = await GoPeer.join({ keys });
    outside.node(HOST, { keys });
    await dial(URL);
    expect(await waitForState("resting")).toMatchObject({ peer_id: keys.id });
    await own.catchUp();
    own.close();
    await waitForState("waiting");
    await runCoordinatorAfter(DIAL_BACKOFF_INITIAL);
    await waitForState("connected");
  });

  it("DL9 a dialed session is superseded by a session that the peer opens itself", async () => {
    const keys = newKeyPair(platformRandom);
    const node = outside.node(HOST, { keys });
    await dial();
    await waitForState("connected");
    const own = await GoPeer.join({ keys });
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(node.closes).toMatchObject([{ code: 4409 }]);
    await own.catchUp();
    expect(await peerView(keys.id)).toMatchObject({ state: "active" });
    expect(await onlyDial()).toMatchObject({ state: "resting" });
  });

  it("DL11 removing an address ends its session before the call returns", async () => {
    const node = outside.node(HOST);
    const { id } = await dial();
    await waitForState("connected");
    expect((await api("DELETE", `/v1/dials/${id}`)).status).toBe(204);
    expect(await peerView(node.keys.id)).toMatchObject({ state: "stale" });
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(await dials()).toEqual([]);
  });

  it("DL3 a dialed peer gets another's place although that session's object does not confirm its end", async () => {
    const node = outside.node(HOST);
    await dial();
    await waitForState("connected");
    // All places are occupied; this one's session has used up its turn.
    await rows("UPDATE dials SET since = 0");
    for (let n = 1; n < DIALED_SESSIONS_DEFAULT; n++)
      await rows(
        `INSERT INTO dials SELECT ?1, ?1, name, NULL, NULL, added_at, added_by, state, ?2, NULL, 1, 0, NULL FROM dials LIMIT 1`,
        `other ${n}`,
        String(Date.now()),
      );
    failSessionEnds();
    const newcomer = outside.node("newcomer.example");
    await dial("wss://newcomer.example/ws");
    await until(
      () => rows("SELECT state FROM dials WHERE url LIKE '%newcomer%'"),
      ([address]) => address?.["state"] !== "dialling",
    );
    await newcomer.send("get_stats", null);
    expect(await newcomer.hears("stats")).toMatchObject({ to: newcomer.keys.id });
    expect(newcomer.closes).toEqual([]);
    expect(await peerView(node.keys.id)).toMatchObject({ state: "stale" });
  });

  it("DL2 revoking a dialed peer ends its session and its dials before the call returns", async () => {
    const node = outside.node(HOST);
    await dial();
    await waitForState("connected");
    expect((await api("POST", `/v1/peers/${node.keys.id}/revoke`)).status).toBe(200);
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(node.closes).toMatchObject([{ code: 4403 }]);
    await runCoordinatorAfter(DIAL_BACKOFF_INITIAL);
    expect(await waitForState("barred")).toMatchObject({ attempts: 1 });
    expect(node.opened).toBe(1);
  });

  it("DL12 a node that answers a close is not aborted", async () => {
    const node = outside.node(HOST);
    const timers = new Timers(5_000);
    await dial();
    await waitForState("connected");
    const object = await sessionStub(node.keys.id);
    const signal = present(outside.fetched[0]?.init.signal);
    await api("POST", `/v1/peers/${node.keys.id}/revoke`);
    await until(
      async () => node.closes,
      ({ length }) => length === 1,
    );
    expect(signal.aborted).toBe(false);
    await timers.ring(object);
    expect(signal.aborted).toBe(false);
  });
});

describe("an address that can't be reached", () => {
  const failure = async (): Promise<string> =>
    String((await until(onlyDial, ({ failures }) => failures === 1)).last_error);

  it("DL7 an address that refuses connections is reported as unreachable", async () => {
    await dial();
    expect(await failure()).toMatch(/^unreachable: /);
  });

  it("DL7 an address that does not answer is given up after the deadline", async () => {
    const timers = new Timers(DIAL_CONNECT_TIMEOUT);
    outside.answer(
      HOST,
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    );
    const registered = await dial();
    await until(
      async () => outside.fetched,
      ({ length }) => length === 1,
    );
    await timers.ring(dialObject(registered));
    expect(await failure()).toBe("no answer within 10 s");
  });

  it("DL7 a redirect is not followed", async () => {
    const elsewhere = outside.node("elsewhere.example");
    outside.answer(HOST, async () => Response.redirect("https://elsewhere.example/ws", 302));
    await dial();
    expect(await failure()).toBe("the address does not accept a WebSocket: HTTP 302");
    expect([outside.fetched.length, elsewhere.opened]).toEqual([1, 0]);
  });

  it("DL7 an address that does not accept WebSockets is reported with its HTTP status", async () => {
    outside.answer(HOST, async () => new Response("hello"));
    await dial();
    expect(await failure()).toBe("the address does not accept a WebSocket: HTTP 200");
  });

  it("DL8 a socket that closes at once is a failed dial", async () => {
    const node = outside.node(HOST, { stopsBefore: "ack" });
    await dial();
    await node.hears("handshake");
    await node.close();
    expect(await failure()).toMatch(/^the connection closed \(1000\)/);
  });

  it("DL7 a node that sends nothing is a failed dial", async () => {
    const node = outside.node(HOST, { stopsBefore: "ack" });
    const timers = new Timers(10_000);
    const registered = await dial();
    await node.hears("handshake");
    await timers.ring(dialObject(registered));
    expect(await failure()).toMatch(/^handshake_timeout: /);
  });

  it("DL6 a node with another key than the expected one is a failed dial", async () => {
    const node = outside.node(HOST);
    const { publicKey } = newKeyPair(platformRandom);
    await dial(URL, { public_key: toHex(publicKey) });
    expect(await failure()).toMatch(/^identity_mismatch: /);
    expect((await api("GET", `/v1/peers/${node.keys.id}`)).status).toBe(404);
  });

  it("DL4 a node that refuses the mesh is a failed dial with the node's reason", async () => {
    outside.node(HOST, { ack: { accepted: false, reason: "peer not authorized" } });
    await dial();
    expect(await failure()).toBe("dial_refused: the peer refused: peer not authorized");
  });

  it("DL4 an address that leads to the mesh itself is a failed dial", async () => {
    outside.answer(HOST, () =>
      exports.default.fetch("http://mesh.test/ws", { headers: { Upgrade: "websocket" } }),
    );
    await dial();
    expect(await failure()).toBe("dial_refused: the peer refused: this key is the mesh's own");
    expect(await rows("SELECT id FROM peers")).toEqual([]);
  });

  it("DL7 an address that is no longer permitted is refused at the next dial", async () => {
    await dial();
    await failure();
    await rows("UPDATE dials SET url = 'ws://10.0.0.1/ws' RETURNING id");
    await runCoordinatorAfter(DIAL_BACKOFF_INITIAL);
    const { last_error } = await until(onlyDial, ({ failures }) => failures === 2);
    expect(last_error).toMatch(/^not dialed: /);
    expect(outside.fetched).toHaveLength(1);
  });

  it("DL8 a dial order that the object does not accept is a failed dial", async () => {
    vi.spyOn(PeerSession.prototype, "dial").mockRejectedValue(new Error("injected: no dial"));
    await dial();
    expect(await failure()).toBe("the object that dials did not answer");
  });
});
