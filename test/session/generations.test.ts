import { dueAt } from "../../src/session/liveness.ts";
import { SECOND } from "../../src/base/clock.ts";
import { describe, expect, test } from "vitest";
import { fromBase64, toBase64 } from "../../src/base/bytes.ts";
import { isJsonObject, type Json } from "../../src/base/json.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import { readGoP2pEnvelope, writeGoP2pEnvelope } from "../../src/protocol/go-p2p-envelope.ts";
import type { SessionEvent, Step } from "../../src/session/effects.ts";
import { newDialedSession } from "../../src/session/outbound-handshake.ts";
import { must, present } from "../must.ts";
import {
  active,
  closes,
  commandsNamed,
  compose,
  GREETING,
  identity,
  joined,
  messages,
  ORIGIN,
  PEER,
  said,
  sealed,
  SECRET,
  START,
} from "./driver.ts";
import { cleartexts, GENERATIONS, handshake, run } from "./handshakes.ts";

const TIME_FIELD = { 1: "ts", 2: "timestamp" } as const;
const CHALLENGE = new Uint8Array(32).fill(7);

describe("a node that dials", () => {
  test.each(GENERATIONS)("GP1 is answered in its generation: %d", (generation) => {
    const { session, effects } = run(GREETING, handshake(generation));
    expect(session).toMatchObject({ state: "proving", channel: { generation } });
    const [ack] = cleartexts(effects);
    expect(Object.keys(present(ack))).toContain(TIME_FIELD[generation]);
    expect(Object.keys(present(ack))).not.toContain(TIME_FIELD[generation === 1 ? 2 : 1]);
    expect(ack?.["payload"]).toMatchObject({
      accepted: true,
      challengeResponse: toBase64(answerChallenge(SECRET, CHALLENGE, generation)),
    });
    expect(messages(effects)).toMatchObject([{ type: "ping", to: PEER.id }]);
  });

  test("GP1 is of generation 2 when its handshake has both names of the time", () => {
    const both = handshake(1, { timestamp: "2026-01-02T03:04:05.123456789+02:00" });
    expect(run(GREETING, both).session).toMatchObject({ channel: { generation: 2 } });
  });

  test.each<[string, { [name: string]: Json | undefined }]>([
    ["no time", { ts: undefined }],
    ["an unreadable ts", { ts: "yesterday" }],
    ["an unreadable timestamp", { timestamp: "yesterday" }],
    ["a timestamp that is null", { timestamp: null }],
    ["a timestamp that is a number", { timestamp: 7 }],
  ])("GP1 is closed without an answer when its handshake has %s", (_, changes) => {
    const { effects } = run(GREETING, handshake(1, changes));
    expect(cleartexts(effects)).toEqual([]);
    expect(closes(effects)).toEqual([4400]);
  });

  test.each(GENERATIONS)("GP12 tells the coordinator its generation: %d", (generation) => {
    const session = joined({ generation, speaksMuster: false });
    expect(session.channel).toMatchObject({ protocol: "go-p2p/1.0", generation });
    const { session: proving, effects } = run(GREETING, handshake(generation));
    const [ping] = messages(effects);
    const pong = compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: present(ping).id });
    const proved = run(proving, { type: "frame", data: sealed(pong, generation) });
    expect(commandsNamed(proved.effects, "admit")).toMatchObject([
      { input: { protocol: "go-p2p/1.0", goP2pGeneration: generation } },
    ]);
  });

  test.each(GENERATIONS)("GP4 reads either name of the time in generation %d", (generation) => {
    const session = joined({ generation });
    for (const other of GENERATIONS) {
      const sent = compose("ping", { sentAt: 5 });
      const text = writeGoP2pEnvelope(sent, other);
      expect(must(readGoP2pEnvelope(text))).toEqual({ envelope: sent, generation: other });
    }
    const { effects } = run(session, said("ping", { sentAt: 5 }, {}, generation));
    expect(messages(effects)).toMatchObject([{ type: "pong", payload: { sentAt: 5 } }]);
  });

  test("GP1 a session that began before there were two generations goes on as one of generation 1", () => {
    const { channel, ...session } = joined();
    if (channel.protocol !== "go-p2p/1.0") throw new Error("not a go-p2p session");
    const { generation: _, encodesConfig: __, ...older } = channel;
    const next = run({ ...session, channel: older }, said("ping", { sentAt: 5 }));
    expect(messages(next.effects)).toMatchObject([{ type: "pong" }]);
    expect(dueAt(next.session)).toBe(START + 30 * SECOND);
    expect(active(next)).toMatchObject({ strikes: 0 });
  });

  test.each(GENERATIONS)("HS13 a frame of the other generation is a strike: %d", (generation) => {
    const other = generation === 1 ? 2 : 1;
    const { session, effects } = run(
      joined({ generation }),
      said("ping", { sentAt: 1 }, {}, other),
    );
    expect(session).toMatchObject({ strikes: 1 });
    expect(messages(effects)).toEqual([]);
  });

  test.each([
    [1, 1001, 1002],
    [2, 0, 6],
  ] as const)("GP5 gets the error codes of its generation: %d", (generation, invalid, refused) => {
    const session = joined({ generation });
    const codesOf = (event: SessionEvent) =>
      messages(run(session, event).effects).map(({ payload }) =>
        isJsonObject(payload) ? payload["code"] : null,
      );
    expect(codesOf(said("no_such_type", null, {}, generation))).toEqual([invalid]);
    expect(codesOf(said("deploy", null, {}, generation))).toEqual([refused]);
  });
});

describe("a node that the mesh dials", () => {
  const dialed = (): Step =>
    run(newDialedSession({ ...ORIGIN, dial: { id: "d".repeat(32), attempt: 1 } }, null), {
      type: "opened",
    });
  const challengeOf = ({ effects }: Step): Uint8Array => {
    const payload = cleartexts(effects)[0]?.["payload"] as { challenge: string };
    return present(fromBase64(payload.challenge));
  };
  const ack = (payload: { [name: string]: Json | undefined }, field: string): SessionEvent => {
    const { ts, ...whole } = compose("handshake_ack", {
      identity: identity({ speaksMuster: false }),
      accepted: true,
      ...payload,
    });
    return { type: "frame", data: JSON.stringify({ ...whole, [field]: ts }) };
  };

  test("GP2 gets one handshake that both generations read", () => {
    const [sent] = cleartexts(dialed().effects);
    expect(sent).toMatchObject({ type: "handshake", payload: { version: "1.0" } });
    expect(sent?.["ts"]).toBe(sent?.["timestamp"]);
    expect(sent?.["ts"]).toEqual(expect.any(String));
  });

  test.each([
    [1, "ts"],
    [2, "timestamp"],
    [1, "timestamp"],
    [2, "ts"],
  ] as const)("GP2 is of the generation of its MAC: %d, whose ack has %s", (generation, field) => {
    const first = dialed();
    const challengeResponse = toBase64(answerChallenge(SECRET, challengeOf(first), generation));
    const { session, effects } = run(first.session, ack({ challengeResponse }, field));
    expect(session).toMatchObject({ state: "proving", channel: { generation } });
    expect(messages(effects)).toMatchObject([{ type: "ping", to: PEER.id }]);
  });

  test.each<[string, Json | undefined, string]>([
    ["a wrong MAC", toBase64(new Uint8Array(32)), "the answer to the challenge is wrong"],
    ["a short MAC", toBase64(new Uint8Array(16)), "the answer to the challenge is wrong"],
    ["no base64", "?", "the answer to the challenge is wrong"],
    ["no MAC", undefined, "before its first release"],
    ["an empty MAC", "", "before its first release"],
  ])("GP2 is refused when its ack has %s", (_, challengeResponse, reason) => {
    for (const field of ["ts", "timestamp"]) {
      const { session, effects } = run(dialed().session, ack({ challengeResponse }, field));
      expect(session.state).toBe("closed");
      expect(commandsNamed(effects, "dial_failed")).toMatchObject([
        { input: { error: expect.stringMatching(`^proof_failed: .*${reason}`) } },
      ]);
    }
  });
});
