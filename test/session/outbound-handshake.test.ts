import { describe, expect, test } from "vitest";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import type { Json } from "../../src/base/json.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { HANDSHAKE_BYTES_MAX } from "../../src/protocol/constants.ts";
import { Envelope } from "../../src/protocol/envelope.ts";
import { Handshake } from "../../src/protocol/messages.ts";
import { newDialedSession } from "../../src/session/outbound-handshake.ts";
import type { SessionEvent, Step } from "../../src/session/effects.ts";
import { isHandshaking, type Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { bytesOf, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import {
  at,
  closes,
  compose,
  identity,
  MESH,
  messages,
  commands,
  ORIGIN,
  PEER,
  said,
  sealed,
  START,
  admissionAnswered,
} from "./driver.ts";

const DIAL = { id: "d".repeat(32), attempt: 7 };
const URL = "wss://peer.example/ws";
const PEER_KEY = toHex(PEER.publicKey);
const OTHER = newKeyPair(seededRandom(99));

const run = (session: Session, event: SessionEvent, now = START): Step =>
  step(session, event, at(now));

/** A dialed session that has sent its handshake. */
function dialed(expectedKey: string | null = null) {
  const call = newDialedSession({ ...ORIGIN, address: URL, dial: DIAL }, expectedKey);
  const { session, effects } = run(call, { type: "opened" });
  const frame = effects[0]?.type === "send" ? effects[0].frame : null;
  const handshake = Envelope.parse(JSON.parse(String(frame)));
  const { challenge } = Handshake.parse(handshake.payload);
  return { session, handshake, effects, challenge: bytesOf(challenge) };
}

const SECRET = present(sharedSecret(PEER.privateKey, MESH.keys.publicKey));

const ackOf = (challenge: Uint8Array, payload: { [name: string]: Json } = {}): Json => ({
  identity: identity() as unknown as Json,
  challengeResponse: toBase64(answerChallenge(SECRET, challenge, 1)),
  accepted: true,
  ...payload,
});

const text = (payload: Json, overrides: Partial<Envelope> = {}): SessionEvent => ({
  type: "frame",
  data: JSON.stringify(compose("handshake_ack", payload, overrides)),
});

/** A dialed session that has received a valid ack, and its ping. */
function answered(expectedKey: string | null = null) {
  const { session, challenge } = dialed(expectedKey);
  const next = run(session, text(ackOf(challenge)));
  return { ...next, ping: present(messages(next.effects)[0]) };
}

const failure = ({ session, effects }: Step) => {
  expect(session.state).toBe("closed");
  const [sent] = commands(effects);
  if (sent?.name !== "dial_failed") throw new Error("the coordinator is not informed");
  expect(sent.input.dial).toEqual(DIAL);
  return { closed: closes(effects), error: sent.input.error, proved: sent.input.proved };
};

describe("a session that the mesh dialed", () => {
  test("DL4 the mesh opens with its handshake: its identity, 32 random bytes and the version, in cleartext", () => {
    const { session, handshake, effects, challenge } = dialed();
    expect(effects).toHaveLength(1);
    expect(handshake).toMatchObject({ type: "handshake", from: MESH.keys.id, to: "" });
    expect(handshake.payload).toMatchObject({
      identity: { id: MESH.keys.id, publicKey: toBase64(MESH.keys.publicKey), role: "controller" },
      version: "1.0",
    });
    expect(challenge).toHaveLength(32);
    expect(dialed().challenge).not.toEqual(challenge);
    expect(isHandshaking(session)).toBe(true);
  });

  test("DL5 the ack of a dialed peer is followed by an encrypted ping and nothing else", () => {
    const { session, effects, ping } = answered();
    expect(session.state).toBe("proving");
    expect(effects).toHaveLength(1);
    expect(ping).toMatchObject({ type: "ping", from: MESH.keys.id, to: PEER.id });
  });

  test("DL5 only the pong leads to admission, with the dial attempt and its address", () => {
    const { session, ping } = answered();
    const early = run(session, said("get_stats", null));
    expect(commands(early.effects).length > 0).toBe(false);
    const pong = compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
    const proved = run(early.session, { type: "frame", data: sealed(pong) }, START + 20);
    expect(commands(proved.effects)).toMatchObject([
      {
        name: "admit",
        input: {
          peerId: PEER.id,
          publicKey: PEER_KEY,
          protocol: "go-p2p/1.0",
          address: URL,
          speaksMuster: true,
          rttMs: 20,
          joinKey: null,
          dial: DIAL,
        },
      },
    ]);
  });

  test("DL5 a pong to another ping proves nothing", () => {
    const { session } = answered();
    const pong = said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: crypto.randomUUID() });
    const { session: next, effects } = run(session, pong);
    expect(next).toMatchObject({ state: "proving", strikes: 1 });
    expect(commands(effects)).toEqual([]);
  });

  test("DL6 a dialed peer with the expected key is accepted", () => {
    expect(answered(PEER_KEY).session.state).toBe("proving");
  });
});

describe("the answer to the mesh's handshake", () => {
  const { session, challenge } = dialed();
  const other = { ...identity(), id: OTHER.id, publicKey: toBase64(OTHER.publicKey) };
  const own = { ...identity(), id: MESH.keys.id, publicKey: toBase64(MESH.keys.publicKey) };
  const zero = { ...identity(), publicKey: toBase64(new Uint8Array(32)) };
  test.each<[string, SessionEvent, number, string]>([
    ["is binary", said("pong", null), 4400, "bad_message"],
    ["is not JSON", { type: "frame", data: "hello" }, 4400, "bad_message"],
    [
      "is another message",
      { type: "frame", data: JSON.stringify(compose("handshake", ackOf(challenge))) },
      4400,
      "out_of_place",
    ],
    ["lacks its identity", text(ackOf(challenge, { identity: null })), 4400, "bad_message"],
    [
      "has a malformed key",
      text(ackOf(challenge, { identity: { ...identity(), publicKey: "AAAA" } as never })),
      4401,
      "bad_key",
    ],
    [
      "has a key of low order",
      text(
        ackOf(challenge, {
          identity: { ...zero, id: "66687aadf862bd776c8fc18b8e9f8e20" } as never,
        }),
        { from: "66687aadf862bd776c8fc18b8e9f8e20" },
      ),
      4401,
      "bad_key",
    ],
    [
      "has an ID that is not its key's",
      text(ackOf(challenge, { identity: { ...identity(), id: OTHER.id } as never }), {
        from: OTHER.id,
      }),
      4401,
      "identity_mismatch",
    ],
    [
      "comes from another peer",
      text(ackOf(challenge), { from: OTHER.id }),
      4401,
      "identity_mismatch",
    ],
    ["does not answer the challenge", text(ackOf(new Uint8Array(32))), 4401, "proof_failed"],
    [
      "has an empty challengeResponse",
      text(ackOf(challenge, { challengeResponse: "" })),
      4401,
      "proof_failed",
    ],
    [
      "claims a key that its sender does not hold",
      text(ackOf(challenge, { identity: other as never }), { from: OTHER.id }),
      4401,
      "proof_failed",
    ],
    [
      "is the mesh's own",
      text(ackOf(challenge, { identity: own as never }), { from: MESH.keys.id }),
      4401,
      "identity_mismatch",
    ],
    [
      "is a refusal",
      text(ackOf(challenge, { accepted: false, reason: "peer not authorized" })),
      1000,
      "dial_refused",
    ],
    [
      "is too large",
      { type: "frame", data: "x".repeat(HANDSHAKE_BYTES_MAX + 1) },
      4400,
      "frame_too_large",
    ],
  ])(
    "DL4 an answer that %s ends the session, and the coordinator receives the reason",
    (_, event, code, fault) => {
      const { closed, error, proved } = failure(run(session, event));
      expect(closed).toEqual([code]);
      expect(error).toMatch(new RegExp(`^${fault}: `));
      expect(proved).toBeNull();
    },
  );

  test("DL4 a refusal by the dialed peer is reported with the reason that the peer gave", () => {
    const refusal = text(ackOf(challenge, { accepted: false, reason: "peer not authorized" }));
    expect(failure(run(session, refusal)).error).toContain("peer not authorized");
  });

  test("DL6 a dialed peer with another key than the expected one ends the session", () => {
    const expecting = dialed(toHex(OTHER.publicKey));
    const { closed, error } = failure(run(expecting.session, text(ackOf(expecting.challenge))));
    expect([closed, error]).toEqual([[4401], expect.stringMatching(/^identity_mismatch: /)]);
  });

  test("DL4 an ack before the handshake was sent is not accepted", () => {
    const unopened = newDialedSession({ ...ORIGIN, dial: DIAL }, null);
    expect(failure(run(unopened, text(ackOf(challenge)))).error).toMatch(/^out_of_place: /);
  });
});

describe("a dialed session that fails", () => {
  test("DL7 a peer that does not answer within 10 s is reported as a failed dial, before the ack and before the pong", () => {
    const late = { type: "handshake_timeout" } as const;
    expect(failure(run(dialed().session, late))).toMatchObject({
      closed: [4408],
      error: expect.stringMatching(/^handshake_timeout: /),
    });
    expect(failure(run(answered().session, late))).toMatchObject({
      closed: [4401],
      error: expect.stringMatching(/^proof_failed: /),
    });
  });

  test("DL8 a socket that closes is reported as a failed dial in every state before admission", () => {
    const closed = { type: "closed", reason: "it closed (1006)", silent: true } as const;
    for (const session of [newDialedSession({ ...ORIGIN, dial: DIAL }, null), dialed().session])
      expect(failure(run(session, closed))).toMatchObject({ error: "it closed (1006)" });
    expect(failure(run(answered().session, closed)).proved).toBeNull();
  });

  test("DL6 a refused admission is reported as a failed dial with the key that was proved", () => {
    const { session, ping } = answered();
    const pong = compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: ping.id });
    const proved = run(session, { type: "frame", data: sealed(pong) }).session;
    const error = { code: "not_allowed", detail: "this key is not on the allowlist" } as const;
    const refused = run(proved, admissionAnswered({ ok: false, error }));
    expect(failure(refused)).toEqual({
      closed: [4403],
      error: "not_allowed: this key is not on the allowlist",
      proved: { publicKey: PEER_KEY, peerId: PEER.id },
    });
  });

  test("DL5 a failed dial is reported once, and a session that the peer opened reports none", () => {
    const over = run(dialed().session, { type: "handshake_timeout" });
    const closed = { type: "closed", reason: "it closed", silent: false } as const;
    expect(run(over.session, closed).effects).toEqual([]);
  });
});
