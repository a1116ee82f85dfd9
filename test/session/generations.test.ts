import { describe, expect, test } from "vitest";
import { fromBase64, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { isJsonObject, type Json } from "../../src/base/json.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { readGoP2pEnvelope, writeGoP2pEnvelope } from "../../src/protocol/go-p2p-envelope.ts";
import type { SessionEffect, SessionEvent, Step } from "../../src/session/effects.ts";
import { dueAt } from "../../src/session/liveness.ts";
import { newDialedSession } from "../../src/session/outbound-handshake.ts";
import type { Active, Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import {
  active,
  admissionAnswered,
  at,
  closes,
  commands,
  commandsNamed,
  compose,
  GRANTED,
  GREETING,
  handshakeText,
  identity,
  joined,
  MESH,
  messages,
  ORIGIN,
  PEER,
  said,
  sealed,
  SECRET,
  START,
} from "./driver.ts";

const GENERATIONS = [1, 2] as const;
const TIME_FIELD = { 1: "ts", 2: "timestamp" } as const;
const CHALLENGE = new Uint8Array(32).fill(7);

const run = (session: Session, event: SessionEvent, now = START): Step =>
  step(session, event, at(now));

/** The cleartext messages among effects, as their texts parse. */
const cleartexts = (effects: readonly SessionEffect[]): { [name: string]: Json }[] =>
  effects.flatMap((effect) =>
    effect.type === "send" && typeof effect.frame === "string"
      ? [JSON.parse(effect.frame) as { [name: string]: Json }]
      : [],
  );

/** A handshake frame with some fields of the message and of its payload replaced; undefined removes a field. */
function handshake(
  generation: 1 | 2,
  changes: { readonly [name: string]: Json | undefined } = {},
  payload: { readonly [name: string]: Json | undefined } = {},
): SessionEvent {
  const whole = JSON.parse(handshakeText({ generation })) as { payload: object };
  const data = JSON.stringify({ ...whole, ...changes, payload: { ...whole.payload, ...payload } });
  return { type: "frame", data };
}

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
      identity: identity({ speaksMuster: false }) as unknown as Json,
      accepted: true,
      ...payload,
    } as Json);
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

describe("pings of the mesh", () => {
  test.each([
    [1, 30],
    [2, 20],
  ] as const)("GP6 a peer of generation %d is pinged every %d s", (generation, seconds) => {
    let session: Active = joined({ generation });
    for (let round = 1; round <= 20; round++) {
      const now = START + round * seconds * SECOND;
      expect(dueAt(session)).toBe(now);
      const pinged = run(session, { type: "due" }, now);
      const [ping] = messages(pinged.effects);
      expect(ping).toMatchObject({ type: "ping" });
      const pong = said(
        "pong",
        { sentAt: 0, receivedAt: 0 },
        { replyTo: present(ping).id },
        generation,
      );
      session = active(run(active(pinged), pong, now + 20));
    }
  });

  test("GP6 the first ping comes 20 s after the one that proved the key, however long the admission took", () => {
    const { session, effects } = run(GREETING, handshake(2));
    const [ping] = messages(effects);
    const pong = compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: present(ping).id });
    const proved = run(session, { type: "frame", data: sealed(pong, 2) }, START + 9 * SECOND);
    const late = run(proved.session, admissionAnswered(GRANTED), START + 14 * SECOND);
    expect(dueAt(late.session)).toBe(START + 20 * SECOND);
  });

  test("GP6 a suspect peer of generation 2 is pinged as often", () => {
    const session = joined({ generation: 2 });
    const suspect = { ...session, liveness: { ...session.liveness, suspect: true } };
    expect(dueAt(suspect)).toBe(START + 20 * SECOND);
  });
});

describe("what honest nodes send", () => {
  const long = "x".repeat(100_000);
  const honest: [string, Json, Partial<{ to: string }>][] = [
    ["content_event", { topic: "news", payload: "aGVsbG8=" }, { to: "" }],
    ["content_event", null, { to: "" }],
    ["ping", null, {}],
    ["ping", {}, {}],
    ["error", { code: 4, message: long }, {}],
    ["error", { code: 4, message: "no", details: long }, {}],
    ["get_logs", { minerName: "m", lines: 10 }, {}],
    ["deploy", { bundle: {} }, {}],
    ["stats", { nodeId: "x", miners: [] }, {}],
  ];

  test.each(GENERATIONS)("GP15 is no strike in generation %d", (generation) => {
    let session: Active = joined({ generation, speaksMuster: false });
    for (const [type, payload, overrides] of honest) {
      const next = run(session, said(type, payload, overrides, generation));
      session = active(next);
      expect([type, session.strikes]).toEqual([type, 0]);
    }
  });

  test.each(GENERATIONS)(
    "GP15 a disconnect with a long reason ends the session in peace: %d",
    (generation) => {
      const left = run(
        joined({ generation }),
        said("disconnect", { reason: long }, {}, generation),
      );
      expect(closes(left.effects)).toEqual([1000]);
      expect(commandsNamed(left.effects, "gone")[0]?.input.reason).toHaveLength(523);
    },
  );

  test.each(GENERATIONS)(
    "GP7 content events are ignored and spend no allowance: %d",
    (generation) => {
      let session: Active = joined({ generation });
      const events = () => said("content_event", { topic: "t" }, { to: "" }, generation);
      for (let count = 0; count < 1_000; count++) {
        const next = run(session, events(), START + 20);
        expect(next.effects).toEqual([]);
        session = active(next);
      }
      const pinged = run(session, said("ping", { sentAt: 1 }, {}, generation), START + 20);
      expect(messages(pinged.effects)).toMatchObject([{ type: "pong" }]);
      expect(closes(run(session, events(), START + 20).effects)).toEqual([4429]);
    },
  );

  test("GP7 a content event before the proof is ignored", () => {
    const { session } = run(GREETING, handshake(2));
    const next = run(session, said("content_event", null, { to: "" }, 2));
    expect(next).toEqual({ session, effects: [] });
  });
});

describe("the name of a node", () => {
  test.each<[string, string]>([
    ["worker-1.example.org", "worker-1.example.org"],
    ["  two words  ", "  two words  "],
    ["", ""],
    ["-", "-"],
    ["Zürich 😀", "Zürich 😀"],
    ["a\u001b[31mb\n", "a\\u001b[31mb\\n"],
    ["\ud800", "\\ud800"],
    ["n".repeat(64), "n".repeat(64)],
    ["n".repeat(300), `${"n".repeat(63)}…`],
    ["\u0000".repeat(300), `${"\\u0000".repeat(10)}…`],
    ["😀".repeat(300), `${"😀".repeat(31)}…`],
  ])("GP9 %j is taken, and shown as %j", (name, shown) => {
    for (const generation of GENERATIONS) {
      const whole = { ...identity({ speaksMuster: false }), name } as unknown as Json;
      const { session } = run(GREETING, handshake(generation, {}, { identity: whole }));
      expect(session).toMatchObject({ state: "proving", claim: { name: shown } });
    }
    expect(shown.length).toBeLessThanOrEqual(64);
  });
});

describe("start_miner's config", () => {
  const config = { threads: 2, pool: "ü<>&", nested: [1, { a: null }] };
  const encoded = toBase64(utf8(JSON.stringify(config)));
  const sorted = (value: { [name: string]: Json }): Json =>
    Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const own = identity({ speaksMuster: false }) as unknown as { [name: string]: Json };

  /** A session of a node that sorts the keys of payloads, or writes them in the order of its structs. */
  function node(generation: 1 | 2, sorts: boolean): Active {
    const { session, effects } = run(
      GREETING,
      handshake(generation, {}, { identity: sorts ? sorted(own) : own }),
    );
    const [ping] = messages(effects);
    const pong = compose("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: present(ping).id });
    const proved = run(session, { type: "frame", data: sealed(pong, generation) });
    return active(run(proved.session, admissionAnswered(GRANTED)));
  }
  const offer = (payload: Json): TaskOffer => ({
    task_id: crypto.randomUUID(),
    fence: 1,
    kind: "go-p2p/start_miner",
    payload,
    attempt: 1,
    lease_seconds: 60,
  });
  const payloads = (session: Active, payload: Json): Json[] =>
    [
      run(session, { type: "offer", offer: offer(payload) }),
      run(session, { type: "call", id: crypto.randomUUID(), request: "start_miner", payload }),
    ].flatMap(({ effects }) => messages(effects).map((sent) => sent.payload));

  test.each([
    ["generation 1", 1, false, config],
    ["generation 1, if it sorted keys", 1, true, config],
    ["early generation 2", 2, false, config],
    ["late generation 2", 2, true, encoded],
  ] as const)("GP10 %s gets it as it reads it", (_, generation, sorts, expected) => {
    const session = node(generation, sorts);
    const payload = { minerType: "xmrig", config };
    const sent = { minerType: "xmrig", config: expected };
    expect(payloads(session, payload)).toEqual([sent, sent]);
  });

  test.each<[string, Json]>([
    ["without a config", { minerType: "xmrig" }],
    ["with a config of null", { minerType: "xmrig", config: null }],
    ["that is no object", "xmrig"],
  ])("GP10 a request %s stays as it is", (_, payload) => {
    expect(payloads(node(2, true), payload)).toEqual([payload, payload]);
  });

  test("GP10 other requests stay as they are", () => {
    const payload = { name: "p", config };
    const call = { type: "call", id: crypto.randomUUID(), request: "deploy", payload } as const;
    expect(messages(run(node(2, true), call).effects)).toMatchObject([{ type: "deploy", payload }]);
  });
});

describe("a challenge", () => {
  const random = seededRandom(77);

  test.each(GENERATIONS)(
    "GP11 of any length but 32 bytes gets no answer: generation %d",
    (generation) => {
      for (let length = 0; length <= 64; length++) {
        const challenge = toBase64(random(length));
        const { session, effects } = run(GREETING, handshake(generation, {}, { challenge }));
        const answers = cleartexts(effects).map(
          ({ payload }) => payload as { [name: string]: Json },
        );
        expect([length, session.state]).toEqual([length, length === 32 ? "proving" : "closed"]);
        expect(answers).toHaveLength(1);
        expect(answers[0]?.["accepted"]).toBe(length === 32);
        expect("challengeResponse" in present(answers[0])).toBe(length === 32);
        if (length !== 32) expect(messages(effects)).toEqual([]);
      }
    },
  );

  test.each(GENERATIONS)(
    "GP11 that would be a key of generation 2 gets no answer in generation %d",
    (generation) => {
      const info = Uint8Array.of(...utf8("lthn-p2p-encrypt-v1"), 1);
      const { effects } = run(GREETING, handshake(generation, {}, { challenge: toBase64(info) }));
      const sent = effects.map((effect) =>
        effect.type === "send" && typeof effect.frame === "string" ? effect.frame : "",
      );
      const key = answerChallenge(SECRET, info, 1);
      expect(sent.join()).not.toContain(toBase64(key));
      expect(sent.join()).not.toContain(toHex(key));
      expect(closes(effects)).toEqual([4400]);
    },
  );

  test.each<[string, Json | undefined]>([
    ["absent", undefined],
    ["null", null],
    ["empty", ""],
  ])("GP14 a handshake without one (%s) is refused by name, without a response", (_, challenge) => {
    for (const generation of GENERATIONS) {
      const { session, effects } = run(GREETING, handshake(generation, {}, { challenge }));
      expect(session.state).toBe("closed");
      expect(cleartexts(effects)).toMatchObject([
        {
          type: "handshake_ack",
          from: MESH.keys.id,
          payload: {
            accepted: false,
            reason: expect.stringMatching(
              /no challenge.*before its first release.*update the node/,
            ),
          },
        },
      ]);
      expect(JSON.stringify(cleartexts(effects))).not.toContain("challengeResponse");
      expect(closes(effects)).toEqual([4401]);
      expect(commands(effects)).toEqual([]);
    }
  });
});
