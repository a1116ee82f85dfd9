import { evictDurableObject, reset } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { Json } from "../../src/base/json.ts";
import { toBase64 } from "../../src/base/bytes.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { MUSTER_PAYLOADS, type GO_P2P_PAYLOADS } from "../../src/protocol/messages.ts";
import { sessionStub } from "./api.ts";
import { GoPeer } from "./go-peer.ts";

afterEach(async () => {
  await reset();
});

const TASK = { task_id: "5f0c7a52-0a5e-4b0e-9a4b-6f2f4d1c9b11", fence: 1 };

interface Row {
  readonly payload: (peer: GoPeer) => Json;
  /** The reply of the mesh; null when there is none. */
  readonly answer: object | null;
  /** Whether the message is a strike. */
  readonly strike: boolean;
}
const row = (payload: Json, answer: object | null, strike = false): Row => ({
  payload: () => payload,
  answer,
  strike,
});
const error = (code: number) => ({ type: "error", payload: { code } });

/** The reply of an active session to each of go-p2p's message types. */
const GO_P2P: { readonly [T in keyof typeof GO_P2P_PAYLOADS]: Row } = {
  handshake: {
    payload: (peer) => ({
      identity: peer.identity(),
      challenge: toBase64(platformRandom(32)),
      version: "1.0",
    }),
    answer: error(1001),
    strike: true,
  },
  handshake_ack: {
    payload: (peer) => ({ identity: peer.identity(), accepted: true }),
    answer: error(1001),
    strike: true,
  },
  ping: row({ sentAt: 42 }, { type: "pong", payload: { sentAt: 42 } }),
  pong: row({ sentAt: 42, receivedAt: 43 }, null),
  disconnect: row({ reason: "shutting down", code: 1001 }, null),
  get_stats: row(null, {
    type: "stats",
    payload: { nodeName: "muster", miners: [], uptime: expect.any(Number) as number },
  }),
  stats: row({ nodeId: "x", miners: [], uptime: 1 }, null),
  start_miner: row({ minerType: "xmrig" }, error(1002)),
  stop_miner: row({ minerName: "xmrig" }, error(1002)),
  miner_ack: row({ success: true }, null),
  deploy: row({ type: "miner", data: "AAAA", checksum: "", name: "x" }, error(1002)),
  deploy_ack: row({ success: true, name: "x" }, null),
  get_logs: row({ minerName: "xmrig", lines: 10 }, error(1002)),
  logs: row({ minerName: "xmrig", lines: [], hasMore: false }, null),
  error: row({ code: 1003, message: "no such miner" }, null),
  content_event: row({ topic: "news", payload: "aGVsbG8=" }, null),
};
const TYPES = Object.entries(GO_P2P).filter(([type]) => type !== "disconnect");

describe("each of go-p2p's message types", () => {
  it.each(TYPES)("HS15 %s is answered as specified", async (type, { payload, answer, strike }) => {
    const peer = await GoPeer.join();
    const rounds = strike ? 2 : 4;
    for (let round = 0; round < rounds; round++) {
      const sent = peer.send(type, payload(peer));
      const said = await peer.catchUp();
      expect(said).toHaveLength(answer === null ? 0 : 1);
      if (answer !== null)
        expect(said[0]).toMatchObject({
          ...answer,
          replyTo: sent.id,
          from: peer.meshId,
          to: peer.keys.id,
        });
    }
    if (!strike) return;
    peer.send(type, payload(peer));
    expect(await peer.read()).toMatchObject(answer ?? {});
    expect(await peer.closed).toMatchObject({ code: 4400, reason: /^out_of_place: / });
  });

  it("HS15 get_stats is answered with the mesh's own ID, whatever its payload", async () => {
    const peer = await GoPeer.join();
    for (const payload of [null, {}, "whatever"])
      expect(await peer.ask("get_stats", payload)).toMatchObject([
        { type: "stats", payload: { nodeId: peer.meshId } },
      ]);
  });

  it.each(["ping", "pong", "disconnect", "error", "handshake", "handshake_ack"])(
    "HS13 a malformed %s is a strike",
    async (type) => {
      const peer = await GoPeer.join();
      for (const payload of [7, "text"]) {
        const sent = peer.send(type, payload);
        expect(await peer.catchUp()).toMatchObject([{ ...error(1001), replyTo: sent.id }]);
      }
      peer.send(type, []);
      expect(await peer.closed).toMatchObject({ code: 4400 });
    },
  );
});

describe("messages that an honest peer does not send", () => {
  const MESH_ONLY = ["welcome", "task_offer", "task_cancel"] as const;
  const WELL_FORMED: { readonly [T in (typeof MESH_ONLY)[number]]: (peer: GoPeer) => Json } = {
    welcome: ({ keys }) => ({
      peer_id: keys.id,
      epoch: 1,
      role: "worker",
      mesh: { id: keys.id, name: "", public_key: "aa".repeat(32) },
    }),
    task_offer: () => ({ ...TASK, kind: "echo", payload: null, attempt: 1, lease_seconds: 1 }),
    task_cancel: () => ({ ...TASK, reason: "" }),
  };

  it.each(MESH_ONLY)("HS13 a %s, which only a mesh may send, is a strike", async (type) => {
    const peer = await GoPeer.join();
    for (let round = 0; round < 2; round++)
      expect(await peer.ask(type, WELL_FORMED[type](peer))).toMatchObject([error(1001)]);
    peer.send(type, WELL_FORMED[type](peer));
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it.each(["", "PING", "constructor", "__proto__", "toString", "x".repeat(64)])(
    "HS13 the unknown type %j is a strike",
    async (type) => {
      const peer = await GoPeer.join();
      // A message with an empty type is not an envelope: there is no message ID to reply to.
      const answer = type === "" ? [] : [error(1001)];
      expect(await peer.ask(type, null)).toMatchObject(answer);
      expect(await peer.ask(type, null)).toMatchObject(answer);
      peer.send(type, null);
      expect(await peer.closed).toMatchObject({ code: 4400 });
    },
  );

  it.each([
    ["random bytes", () => platformRandom(200)],
    ["an empty frame", () => new Uint8Array()],
    ["text", () => "{}"],
    [
      "a frame of another key",
      (peer: GoPeer) => {
        const frame = peer.seal(peer.compose("ping", { sentAt: 1 }));
        frame[frame.length - 1] = (frame.at(-1) as number) ^ 1;
        return frame;
      },
    ],
    [
      "an encrypted text that is not a message",
      (peer: GoPeer) => peer.seal({ ...peer.compose("ping", { sentAt: 1 }), id: "1" }),
    ],
  ])("HS13 the third frame of %s ends the session", async (_, frame) => {
    const peer = await GoPeer.join();
    peer.socket.send(frame(peer));
    peer.socket.send(frame(peer));
    expect(await peer.catchUp()).toEqual([]);
    peer.socket.send(frame(peer));
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it("HS13 strikes of every kind are counted together, across a hibernation", async () => {
    const peer = await GoPeer.join();
    peer.sendFrame(platformRandom(50));
    await evictDurableObject(await sessionStub(peer.keys.id));
    await peer.ask("no_such_type", null);
    await evictDurableObject(await sessionStub(peer.keys.id));
    peer.send("welcome", null);
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it.each(Object.keys(MUSTER_PAYLOADS).filter((type) => type.startsWith("task_")))(
    "HS13 a malformed %s is a strike",
    async (type) => {
      const peer = await GoPeer.join();
      const payloads: Json[] = [null, { task_id: "no UUID", fence: 1 }, { ...TASK, fence: 0 }, {}];
      for (const payload of payloads) peer.send(type, payload);
      expect(await peer.closed).toMatchObject({ code: 4400 });
    },
  );

  it("HS12 a message with another sender or another recipient is refused", async () => {
    const other = "0123456789abcdef0123456789abcdef";
    const peer = await GoPeer.join();
    expect(await peer.ask("ping", { sentAt: 1 }, { from: other })).toMatchObject([error(1002)]);
    expect(await peer.ask("ping", { sentAt: 1 }, { to: other })).toMatchObject([error(1002)]);
    peer.send("ping", { sentAt: 1 }, { from: peer.meshId });
    expect(await peer.read()).toMatchObject(error(1002));
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });

  it("HS12 a go-p2p broadcast, which has an empty recipient, is accepted", async () => {
    const peer = await GoPeer.join();
    for (let round = 0; round < 4; round++)
      expect(await peer.ask("ping", { sentAt: 9 }, { to: "" })).toMatchObject([
        { type: "pong", payload: { sentAt: 9 } },
      ]);
  });

  it("HS17 the session is closed with 1000 when the peer disconnects", async () => {
    const peer = await GoPeer.join();
    peer.send("disconnect", { reason: "done for today", code: 1000 });
    expect(await peer.closed).toMatchObject({ code: 1000 });
  });
});
