import { describe, expect, test } from "vitest";
import { TASK_PAYLOADS } from "../../src/protocol/task-messages.ts";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import {
  GO_P2P_PAYLOADS,
  GO_P2P_REPLIES,
  isMessageType,
  PAYLOADS,
  type MessageType,
  type MUSTER_PAYLOADS,
} from "../../src/protocol/messages.ts";
import { SubmitTask } from "../../src/protocol/http.ts";
import { seededRandom } from "../random.ts";
import { aTaskView } from "../task-view.ts";
import { wireTask } from "../../src/protocol/exact-tasks.ts";

const pair = newKeyPair(seededRandom(1));
const CHALLENGE = toBase64(seededRandom(2)(32));
const TASK = { task_id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", fence: 3 };

const SHOWN = aTaskView({
  id: TASK.task_id,
  payload: exactJsonOf(1),
  state: "succeeded",
  ended_at: "2026-01-02T03:04:05.006Z",
  max_attempts: 3,
  peer_id: pair.id,
  progress: 1,
  result: exactJsonOf([2]),
});

/** Go's `NodeIdentity` in a message. */
const IDENTITY = {
  id: pair.id,
  name: "go-node",
  publicKey: toBase64(pair.publicKey),
  createdAt: "2026-01-02T03:04:05.123456789+01:00",
  role: "worker",
};

/** One valid payload of each go-p2p message type, with the fields that its Go structs write. */
const FROM_GO: { readonly [Type in keyof typeof GO_P2P_PAYLOADS]: unknown } = {
  handshake: { identity: IDENTITY, challenge: CHALLENGE, version: "1.0" },
  handshake_ack: { identity: IDENTITY, challengeResponse: CHALLENGE, accepted: true },
  ping: { sentAt: 1_767_323_045_006 },
  pong: { sentAt: 1_767_323_045_006, receivedAt: 1_767_323_045_016 },
  disconnect: { reason: "server shutdown", code: 1004 },
  get_stats: null,
  stats: { nodeId: pair.id, nodeName: "go-node", miners: [], uptime: 60 },
  start_miner: { minerType: "xmrig", profileId: "p1", config: { threads: 2 } },
  stop_miner: { minerName: "m1" },
  miner_ack: { success: true, minerName: "m1" },
  deploy: { type: "profile", data: "AAEC", checksum: "00", name: "p1" },
  deploy_ack: { success: false, error: "no such profile" },
  get_logs: { minerName: "m1", lines: 100 },
  logs: { minerName: "m1", lines: ["a", "b"], hasMore: false },
  error: { code: 1004, message: "operation failed", details: "why" },
  content_event: { topic: "news", payload: "aGVsbG8=" },
};

/** One valid payload of each of Muster's own message types. */
const FROM_MUSTER: { readonly [Type in keyof typeof MUSTER_PAYLOADS]: unknown } = {
  welcome: {
    peer_id: pair.id,
    epoch: 1,
    role: "worker",
    mesh: { id: pair.id, name: "mesh", public_key: toHex(pair.publicKey) },
    reconnect: { slot: 7, per_second: 100 },
  },
  rejection: { code: "not_allowed", reason: "this key is not on the allowlist" },
  rotate: { public_key: toHex(pair.publicKey), proof: "ab".repeat(32) },
  task_offer: { ...TASK, kind: "sha256", payload: { file: "a" }, attempt: 1, lease_seconds: 60 },
  task_accept: TASK,
  task_refuse: { ...TASK, reason: "busy" },
  task_release: { ...TASK, reason: "the peer leaves", begun: true },
  task_progress: { ...TASK, progress: 0.5, message: "half" },
  task_result: { ...TASK, ok: true, result: null },
  task_return: TASK,
  task_cancel: { ...TASK, reason: "deadline" },
  task_assign: { task: { kind: "echo", payload: 5 }, idempotency_key: "once" },
  task_query: { task_id: TASK.task_id },
  task_recall: { task_id: TASK.task_id },
  task_retry: { task_id: TASK.task_id, max_attempts: 3 },
  task_shown: { task: wireTask(SHOWN), ticket: "a.b" },
  drain: { reason: "a deploy", timeout_seconds: 60 },
  announce: { capabilities: ["gpu=t4"], slots: 2, prefetch: true },
  advert: {
    peers: [
      {
        public_key: toHex(pair.publicKey),
        address: "ws://192.0.2.1:9091/ws",
        role: "dual",
        rtt_ms: 12.5,
      },
    ],
  },
  sample: { pointers: ["ab".repeat(16)] },
  rtts: { rtts: [{ peer_id: pair.id, rtt_ms: 12.5 }] },
};

const honest: Readonly<Record<string, unknown>> = { ...FROM_GO, ...FROM_MUSTER };
const TYPES = Object.keys(PAYLOADS) as MessageType[];

/** What is read of an honest message: payloads and results as text. */
function kept(type: MessageType): unknown {
  if (type in GO_P2P_REPLIES || (Object.values(GO_P2P_REPLIES) as string[]).includes(type))
    return exactJsonOf(honest[type]);
  const message = honest[type] as object;
  const changed: Partial<Record<MessageType, object>> = {
    task_offer: { payload: exactJsonOf({ file: "a" }) },
    task_result: { result: exactJsonOf(null) },
    task_assign: { task: SubmitTask.parse({ kind: "echo", payload: 5 }) },
    task_shown: { task: SHOWN },
  };
  return type in changed ? { ...message, ...changed[type] } : message;
}
const accepts = (type: MessageType, payload: unknown) => PAYLOADS[type].safeParse(payload).success;

describe("message types", () => {
  test("are go-p2p's sixteen and Muster's own, and isMessageType refuses any other word", () => {
    expect(Object.keys(GO_P2P_PAYLOADS)).toHaveLength(16);
    expect(TYPES.toSorted()).toEqual(Object.keys(honest).toSorted());
    expect(TYPES.every(isMessageType)).toBe(true);
    for (const word of ["", "PING", "toString", "__proto__", "constructor"]) {
      expect(isMessageType(word)).toBe(false);
    }
  });

  test.for(TYPES)("parsing keeps every field: %s", (type) => {
    expect(PAYLOADS[type].parse(honest[type])).toEqual(kept(type));
  });

  test("each go-p2p request has its reply type", () => {
    for (const [request, reply] of Object.entries(GO_P2P_REPLIES)) {
      expect([request in GO_P2P_PAYLOADS, reply in GO_P2P_PAYLOADS]).toEqual([true, true]);
    }
  });

  test("go-p2p's requests and replies accept any payload", () => {
    const open = [...Object.keys(GO_P2P_REPLIES), ...Object.values(GO_P2P_REPLIES)];
    for (const type of open.filter(isMessageType)) {
      for (const payload of [null, [], "x", { any: 1 }]) {
        expect(PAYLOADS[type].parse(payload)).toBe(JSON.stringify(payload));
      }
    }
  });
});

const handshake = (changes: object) =>
  accepts("handshake", { ...(FROM_GO.handshake as object), ...changes });

const identity = (changes: object) => handshake({ identity: { ...IDENTITY, ...changes } });

describe("a go-p2p handshake message", () => {
  test("may name an unsupported version, so that the answer can name the supported one", () => {
    expect(handshake({ version: "2.0" })).toBe(true);
    expect(handshake({ version: "v".repeat(17) })).toBe(false);
  });

  test("may come from a new Go node, with the zero time and no name", () => {
    expect(identity({ name: "", createdAt: "0001-01-01T00:00:00Z" })).toBe(true);
  });

  test("may announce support of Muster's own messages, with defaults for absent fields", () => {
    const announced = {
      ...(FROM_GO.handshake as object),
      identity: { ...IDENTITY, muster: { v: 1 } },
    };
    expect(PAYLOADS.handshake.parse(announced).identity.muster).toEqual({
      v: 1,
      capabilities: [],
      slots: 1,
    });
  });

  test.for<[string, object]>([
    ["no challenge", { challenge: undefined }],
    ["a challenge of 31 bytes", { challenge: toBase64(new Uint8Array(31)) }],
    ["a challenge of 33 bytes", { challenge: toBase64(new Uint8Array(33)) }],
    ["a challenge in hex", { challenge: toHex(new Uint8Array(32)) }],
    ["no version", { version: undefined }],
    ["no identity", { identity: null }],
  ])("is refused with %s", ([, changes]) => {
    expect(handshake({})).toBe(true);
    expect(handshake(changes)).toBe(false);
  });

  test.for<[string, object]>([
    ["an ID in upper case", { id: pair.id.toUpperCase() }],
    ["a short ID", { id: pair.id.slice(1) }],
    ["a key of 31 bytes", { publicKey: toBase64(new Uint8Array(31)) }],
    ["a key in hex", { publicKey: toHex(pair.publicKey) }],
    ["a key in base64url", { publicKey: "-".repeat(43) + "=" }],
    ["a name that is no text", { name: 7 }],
    ["an unknown role", { role: "king" }],
    ["a time that is none", { createdAt: "yesterday" }],
    ["a muster field of another version", { muster: { v: 2 } }],
    ["too many slots", { muster: { v: 1, slots: 257 } }],
    ["negative slots", { muster: { v: 1, slots: -1 } }],
    ["33 capabilities", { muster: { v: 1, capabilities: Array(33).fill("gpu") } }],
    ["a capability with a space", { muster: { v: 1, capabilities: ["g pu"] } }],
  ])("is refused with an identity of %s", ([, changes]) => {
    expect(identity({})).toBe(true);
    expect(identity(changes)).toBe(false);
  });
});

describe("payloads of the other messages", () => {
  test("may omit the fields that Go's omitempty omits", () => {
    expect(accepts("handshake_ack", { identity: IDENTITY, accepted: false, reason: "no" })).toBe(
      true,
    );
    expect(accepts("error", { code: 0, message: "" })).toBe(true);
    expect(PAYLOADS.disconnect.parse({})).toEqual({ reason: "", code: 0 });
  });

  test.for<[MessageType, unknown]>([
    ["ping", "now"],
    ["ping", { sentAt: "now" }],
    ["pong", { sentAt: 1 }],
    ["handshake_ack", { identity: IDENTITY }],
    ["disconnect", null],
    ["error", { code: "1001", message: "" }],
    ["welcome", { ...(FROM_MUSTER.welcome as object), epoch: 0 }],
    ["task_offer", { ...(FROM_MUSTER.task_offer as object), kind: "../etc" }],
    ["task_offer", { ...(FROM_MUSTER.task_offer as object), lease_seconds: 0 }],
    ["task_accept", { ...TASK, fence: 0 }],
    ["task_accept", { ...TASK, fence: 1.5 }],
    ["task_accept", { ...TASK, task_id: "7" }],
    ["task_accept", { task_id: TASK.task_id }],
    ["task_refuse", TASK],
    ["task_progress", { ...TASK, progress: 1.01 }],
    ["task_progress", { ...TASK, message: "m".repeat(501) }],
    ["task_result", { ...TASK, ok: false }],
    ["task_result", { ...TASK, result: 1 }],
    ["task_result", { ...TASK, ok: "true", result: 1 }],
    ["task_cancel", { ...TASK, reason: 1 }],
  ])("are refused: %s %j", ([type, payload]) => {
    expect(accepts(type, honest[type])).toBe(true);
    expect(accepts(type, payload)).toBe(false);
  });

  test("a failed task_result is retried by default, unless it says otherwise", () => {
    expect(PAYLOADS.task_result.parse({ ...TASK, ok: false, error: "no" })).toEqual({
      ...TASK,
      ok: false,
      error: "no",
      retry: true,
    });
  });
});

test("TR3 a message whose trace is none is read without it", () => {
  const { task_assign, task_offer } = TASK_PAYLOADS;
  const task = { kind: "echo" };
  for (const wrong of [7, null, {}, "x".repeat(600)]) {
    const trace = { traceparent: wrong, tracestate: { wrong } };
    expect(task_assign.parse({ task, ...trace })).toMatchObject({ task });
    expect(task_assign.parse({ task, ...trace }).traceparent).toBeUndefined();
    const offer = { task_id: crypto.randomUUID(), fence: 1, kind: "a", attempt: 1 };
    const read = task_offer.parse({ ...offer, payload: null, lease_seconds: 1, ...trace });
    expect([read.traceparent, read.tracestate]).toEqual([undefined, undefined]);
  }
});
