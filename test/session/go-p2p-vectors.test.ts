import { describe, expect, test } from "vitest";
import { fromUtf8, toBase64, toHex } from "../../src/base/bytes.ts";
import { isJsonObject, type Json } from "../../src/base/json.ts";
import { answerChallenge, verifyChallengeAnswer } from "../../src/crypto/challenge.ts";
import { openGoP2pFrame, sealGoP2pFrame } from "../../src/crypto/go-p2p-frame.ts";
import { derivedKey } from "../../src/crypto/go-p2p-keys.ts";
import { sharedSecret } from "../../src/crypto/identity.ts";
import { keyPairFrom } from "../../src/crypto/key-pairs.ts";
import { frameCipher, openFrame } from "../../src/crypto/session-cipher.ts";
import { openSigil } from "../../src/crypto/sigil.ts";
import { openSmsg, sealSmsg } from "../../src/crypto/smsg.ts";
import { decodeContainer } from "../../src/crypto/trix.ts";
import { readGoP2pEnvelope } from "../../src/protocol/go-p2p-envelope.ts";
import type { SessionContext } from "../../src/session/context.ts";
import { newGoP2pSession } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { newDialedSession } from "../../src/session/outbound-handshake.ts";
import { bytesOf, hexBytes, must, mustFail, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { describeVectors } from "../shared.ts";
import { at, closes, ORIGIN, START } from "./driver.ts";
import { writeJson } from "../../src/base/json-text/write-json.ts";

interface Frame {
  readonly name: string;
  readonly plain: string;
  readonly sealed: string;
  readonly nonce?: string;
  readonly reads?: string;
}
type TranscriptFrame =
  | { readonly from: string; readonly kind: "text"; readonly text: string }
  | {
      readonly from: string;
      readonly kind: "binary";
      readonly sealed: string;
      readonly plain: string;
    };
interface Transcript {
  readonly frames: readonly TranscriptFrame[];
}
interface Challenge {
  readonly challenge: string;
  readonly response: string;
}
interface Dialed {
  readonly handshake: string;
  readonly ack: string;
  readonly result: string;
}
interface Vectors {
  readonly keys: Readonly<Record<"alice" | "bob", Readonly<Record<"id" | "private", string>>>>;
  readonly shared: { readonly secret: string };
  readonly oracle: Challenge & { readonly generation2Key: string };
  readonly generation1: {
    readonly challenge: Challenge;
    readonly frames: readonly Frame[];
    readonly transcript: Transcript;
  };
  readonly generation2: {
    readonly challenge: Challenge;
    readonly subkeys: Readonly<Record<string, string>>;
    readonly frames: readonly Frame[];
    readonly refused: Readonly<Record<string, string>>;
  } & Readonly<
    Record<"transcript" | "early" | "keepalive" | "earlyDialsLate" | "lateDialsEarly", Transcript>
  >;
  readonly mixed: {
    readonly between: Readonly<Record<string, Transcript>>;
    readonly oneServer: Readonly<
      Record<
        "dialGeneration1Listener" | "dialGeneration2EarlyListener" | "dialGeneration2Listener",
        Dialed
      >
    >;
  };
}

const GENERATIONS = [1, 2] as const;
type Generation = (typeof GENERATIONS)[number];

describeVectors<Vectors>("the vectors of both generations of go-p2p", "go-p2p.json", (vectors) => {
  const secret = hexBytes(vectors.shared.secret);
  const alice = keyPairFrom(hexBytes(vectors.keys.alice.private));
  const bob = keyPairFrom(hexBytes(vectors.keys.bob.private));
  const ciphers = { 1: frameCipher(secret, 1), 2: frameCipher(secret, 2) };

  /** A mesh with the key of one of the two. */
  const meshOf = (keys: typeof alice): SessionContext => ({
    ...at(START),
    mesh: { keys, name: "mesh" },
  });
  /** A mesh with bob's key that receives this handshake. */
  const received = (text: string) =>
    step(newGoP2pSession(ORIGIN), { type: "frame", data: text }, meshOf(bob));
  const payloadOf = (text: string): { [name: string]: Json } => {
    const { payload } = must(readGoP2pEnvelope(text)).envelope;
    return isJsonObject(payload) ? payload : {};
  };
  const sentAck = (effects: ReturnType<typeof received>["effects"]) => {
    const [first] = effects;
    return first?.type === "send" && typeof first.frame === "string" ? first.frame : "";
  };

  test("GP3 the secret, the derived keys and the answers to a challenge are go-p2p's", () => {
    expect([alice.id, bob.id]).toEqual([vectors.keys.alice.id, vectors.keys.bob.id]);
    for (const [own, other] of [
      [alice, bob],
      [bob, alice],
    ] as const)
      expect(sharedSecret(own.privateKey, other.publicKey)).toEqual(secret);
    const { subkeys } = vectors.generation2;
    expect(toHex(derivedKey(secret, "encrypt"))).toBe(subkeys["lthn-p2p-encrypt-v1"]);
    expect(toHex(derivedKey(secret, "challenge"))).toBe(subkeys["lthn-p2p-challenge-v1"]);
    for (const generation of GENERATIONS) {
      const { challenge, response } = vectors[`generation${generation}`].challenge;
      const [asked, answered] = [hexBytes(challenge), hexBytes(response)];
      expect(answerChallenge(secret, asked, generation)).toEqual(answered);
      expect(verifyChallengeAnswer(secret, asked, answered, generation === 1 ? 2 : 1)).toBe(false);
    }
  });

  describe("GP3 a frame of generation 2", () => {
    test.each(vectors.generation2.frames.map((frame) => [frame.name, frame] as const))(
      "is opened and sealed as go-p2p does: %s",
      (_, { plain, sealed, nonce, reads }) => {
        const frame = hexBytes(sealed);
        expect(must(openGoP2pFrame(ciphers[2].key, frame))).toBe(plain);
        const own = sealGoP2pFrame(ciphers[2].key, plain, () => hexBytes(present(nonce)));
        expect(toHex(own)).toBe(sealed);
        // Signed envelopes are unwrapped as go-p2p does, and refused where it refuses them (GP8).
        const opened = openFrame(ciphers[2], frame);
        if (present(reads).startsWith("refused: ")) {
          expect(mustFail(opened).code).toBe("bad_message");
          return;
        }
        const { type, id, from, payload } = must(opened);
        const text = writeJson(payload);
        const shown = text === "null" ? "" : text;
        expect(`${type} ${id} from ${from}, payload ${unescaped(shown)}`).toBe(
          unescaped(present(reads)),
        );
      },
    );

    test.each(Object.entries(vectors.generation2.refused))(
      "GP3 is refused as go-p2p does: %s",
      (_, text) => {
        const frame = hexBytes(present(text.split(" -> ")[0]));
        expect(mustFail(openFrame(ciphers[2], frame)).code).toBe("undecryptable");
      },
    );
  });

  describe("GP3 a frame of generation 1", () => {
    test.each(vectors.generation1.frames.map((frame) => [frame.name, frame] as const))(
      "is opened and sealed as go-p2p does: %s",
      (_, { plain, sealed }) => {
        const frame = hexBytes(sealed);
        expect(must(openSmsg(ciphers[1].key, frame))).toBe(plain);
        expect(must(openFrame(ciphers[1], frame))).toEqual(must(readGoP2pEnvelope(plain)).envelope);
        const { payload } = must(decodeContainer("SMSG", frame));
        const content = present(fromUtf8(present(openSigil(ciphers[1].key, payload))));
        const { timestamp } = JSON.parse(content) as { timestamp: number };
        const nonce = payload.slice(0, 24);
        const own = sealSmsg(ciphers[1].key, plain, timestamp * 1_000, () => nonce);
        expect(toHex(own)).toBe(sealed);
      },
    );
  });

  const { generation2 } = vectors;
  const transcripts: [string, Generation, boolean, boolean, Transcript][] = [
    ["generation 1", 1, false, false, vectors.generation1.transcript],
    ["late generation 2", 2, true, true, generation2.transcript],
    ["late generation 2, keepalive", 2, true, true, generation2.keepalive],
    ["early generation 2", 2, false, false, generation2.early],
    ["early dials late", 2, false, true, generation2.earlyDialsLate],
    ["late dials early", 2, true, false, generation2.lateDialsEarly],
  ];

  test.each(transcripts)(
    "GP1 GP2 GP4 a transcript of real nodes is read: %s",
    (_, generation, diallerIsLate, listenerIsLate, { frames }) => {
      const [handshake, ack, ...rest] = frames;
      if (handshake?.kind !== "text" || ack?.kind !== "text") throw new Error("no handshake");
      // GP1: a mesh in the place of the listener answers the challenge with the same bytes.
      const greeted = received(handshake.text);
      expect(greeted.session).toMatchObject({
        state: "proving",
        channel: { generation, encodesConfig: diallerIsLate, key: ciphers[generation].key },
        claim: { peerId: alice.id, name: "alice" },
      });
      const theirs = payloadOf(ack.text)["challengeResponse"];
      expect(payloadOf(sentAck(greeted.effects))["challengeResponse"]).toBe(theirs);
      // GP2: a mesh in the place of the dialler accepts the ack.
      const challenge = bytesOf(textOf(payloadOf(handshake.text)["challenge"]));
      const dialing = { ...newDialedSession(ORIGIN, null), challenge };
      const answered = step(dialing, { type: "frame", data: ack.text }, meshOf(alice));
      expect(answered.session).toMatchObject({
        state: "proving",
        channel: { generation, encodesConfig: listenerIsLate },
        claim: { peerId: bob.id, name: "bob" },
      });
      for (const frame of rest) {
        if (frame.kind !== "binary") throw new Error("a text frame after the handshake");
        const message = must(openFrame(ciphers[generation], bytesOf(frame.sealed)));
        expect(message).toEqual(must(readGoP2pEnvelope(frame.plain)).envelope);
      }
    },
  );

  test.each(Object.entries(vectors.mixed.between))(
    "GP2 real nodes refuse each other's ack, and the mesh tells from it which generation it was: %s",
    (_, { frames: [handshake, ack] }) => {
      if (handshake?.kind !== "text" || ack?.kind !== "text") throw new Error("no handshake");
      const dialled = must(readGoP2pEnvelope(handshake.text)).generation;
      const listening = must(readGoP2pEnvelope(ack.text)).generation;
      expect(dialled).not.toBe(listening);
      const challenge = bytesOf(textOf(payloadOf(handshake.text)["challenge"]));
      const response = bytesOf(textOf(payloadOf(ack.text)["challengeResponse"]));
      expect(verifyChallengeAnswer(secret, challenge, response, dialled)).toBe(false);
      expect(verifyChallengeAnswer(secret, challenge, response, listening)).toBe(true);
    },
  );

  const { oneServer } = vectors.mixed;
  test.each([
    ["generation 1", oneServer.dialGeneration1Listener, 1, false],
    ["early generation 2", oneServer.dialGeneration2EarlyListener, 2, false],
    ["late generation 2", oneServer.dialGeneration2Listener, 2, true],
  ] as const)(
    "GP2 the ack of a real listener to a handshake for both generations is accepted: %s",
    (_, { handshake, ack, result }, generation, isLate) => {
      const sent = JSON.parse(handshake) as { [name: string]: Json };
      expect(sent["ts"]).toBe(sent["timestamp"]);
      expect(result).toContain(`generation ${generation} by the ack's MAC`);
      const challenge = bytesOf(textOf(payloadOf(handshake)["challenge"]));
      const dialing = { ...newDialedSession(ORIGIN, null), challenge };
      const { session } = step(dialing, { type: "frame", data: ack }, meshOf(alice));
      expect(session).toMatchObject({
        state: "proving",
        channel: { generation, encodesConfig: isLate },
      });
    },
  );

  test("GP11 the oracle: a challenge that is no 32 bytes gets no answer in either generation", () => {
    const { challenge, response, generation2Key } = vectors.oracle;
    const asked = hexBytes(challenge);
    // What generation 1 would answer to it is the key of all frames of generation 2.
    expect(toHex(answerChallenge(secret, asked, 1))).toBe(response);
    expect(response).toBe(generation2Key);
    expect(toHex(ciphers[2].key)).toBe(generation2Key);
    const texts = [vectors.generation1.transcript, generation2.transcript, generation2.early].map(
      ({ frames: [first] }) => (first?.kind === "text" ? first.text : ""),
    );
    const draw = seededRandom(5);
    const lengths = Array.from({ length: 65 }, (_, length) => draw(length));
    for (const text of texts)
      for (const bytes of [asked, ...lengths.filter(({ length }) => length !== 32)]) {
        const parsed = JSON.parse(text) as { payload: object };
        const payload = { ...parsed.payload, challenge: toBase64(bytes) };
        const { session, effects } = received(JSON.stringify({ ...parsed, payload }));
        expect(session.state).toBe("closed");
        expect(payloadOf(sentAck(effects))).toMatchObject({ accepted: false });
        expect(payloadOf(sentAck(effects))).not.toHaveProperty("challengeResponse");
        expect(effects.filter(({ type }) => type === "send")).toHaveLength(1);
        expect(closes(effects)).toHaveLength(1);
      }
  });
});

/** Go writes U+2028 and U+2029 in JSON as escapes. */
const unescaped = (json: string): string =>
  json.replaceAll("\\u2028", "\u2028").replaceAll("\\u2029", "\u2029");

const textOf = (value: Json | undefined): string => {
  if (typeof value !== "string") throw new Error("a text was expected here");
  return value;
};
