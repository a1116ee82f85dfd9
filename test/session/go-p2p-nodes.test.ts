import { describe, expect, test } from "vitest";
import { toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { type Json } from "../../src/base/json.ts";
import { answerChallenge } from "../../src/crypto/challenge.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { dueAt } from "../../src/session/liveness.ts";
import type { Active } from "../../src/session/state.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import {
  active,
  admissionAnswered,
  closes,
  commands,
  commandsNamed,
  compose,
  GRANTED,
  GREETING,
  identity,
  joined,
  MESH,
  messages,
  said,
  sealed,
  SECRET,
  START,
} from "./driver.ts";
import { cleartexts, GENERATIONS, handshake, run } from "./handshakes.ts";
import { exactJsonOf, type ExactJson } from "../../src/base/json-text/json-text.ts";

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
  const offer = (payload: ExactJson): TaskOffer => ({
    task_id: crypto.randomUUID(),
    fence: 1,
    kind: "go-p2p/start_miner",
    payload,
    attempt: 1,
    lease_seconds: 60,
  });
  const payloads = (session: Active, payload: Json): Json[] =>
    [
      run(session, { type: "offer", offer: offer(exactJsonOf(payload)) }),
      run(session, {
        type: "call",
        id: crypto.randomUUID(),
        request: "start_miner",
        payload: exactJsonOf(payload),
      }),
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
    const call = {
      type: "call",
      id: crypto.randomUUID(),
      request: "deploy",
      payload: exactJsonOf(payload),
    } as const;
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
