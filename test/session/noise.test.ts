import { ok, err } from "../../src/base/result.ts";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { exactJsonOf, NULL_JSON } from "../../src/base/json-text/json-text.ts";
import { utf8, type Bytes } from "../../src/base/bytes.ts";
import {
  readNoise,
  splitNoise,
  startNoise,
  writeNoise,
  type TransportKeys,
} from "../../src/crypto/noise.ts";
import { sealNext, type Direction } from "../../src/crypto/transport.ts";
import { nativeX25519 } from "../../src/crypto/x25519.ts";
import type { SessionEffect, Step } from "../../src/session/effects.ts";
import { newNoiseSession, receiveNoise } from "../../src/session/noise-handshake.ts";
import type { Active, Noise, Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { SCALE } from "./arbitraries.ts";
import {
  at,
  compose,
  GRANTED,
  ORIGIN,
  PEER,
  START,
  commands,
  answerTo,
  admissionAnswered,
  OBJECT_ID,
} from "./driver.ts";

vi.setConfig({ testTimeout: 60_000 * Math.max(1, SCALE) });

const NOTHING = new Uint8Array();
const HELLO = utf8(JSON.stringify({ name: "noise peer", role: "worker" }));
const random = seededRandom(11);

const frameOf = (effects: readonly SessionEffect[]): Bytes => {
  const sent = effects.find((effect) => effect.type === "send");
  if (sent?.type !== "send" || typeof sent.frame === "string") throw new Error("no frame was sent");
  return sent.frame;
};
const stepHandshake = (session: Noise, data: Bytes): Promise<Step> =>
  receiveNoise(session, data, nativeX25519, at(START, seededRandom(12)));

/** A complete handshake: the session after each message, and the peer's messages. */
async function completeHandshake() {
  const first = newNoiseSession(ORIGIN, PEER.id);
  const one = must(
    await writeNoise(nativeX25519, startNoise(true, utf8("muster/2")), PEER, random(32), NOTHING),
  );
  const answered = await stepHandshake(first, one.message);
  const two = must(await readNoise(nativeX25519, one.state, PEER, frameOf(answered.effects)));
  const three = must(await writeNoise(nativeX25519, two.state, PEER, NOTHING, HELLO));
  const second = answered.session as Noise;
  const asked = await stepHandshake(second, three.message);
  const admitted = admissionAnswered(ok({ ...GRANTED.value, epoch: 1 }));
  const active = step(asked.session, admitted, at(START)).session as Active;
  return {
    first,
    second,
    asked,
    active,
    split: present(splitNoise(three.state)),
    messages: [one.message, three.message],
  };
}

const { first, second, asked, active, split, messages } = await completeHandshake();

/** The peer's next frames, with valid messages. */
function framesOf({ send }: TransportKeys, count: number): Bytes[] {
  let direction: Direction = { key: send, counter: 0 };
  return Array.from({ length: count }, (_, sentAt) => {
    const sealed = sealNext(direction, utf8(JSON.stringify(compose("ping", { sentAt }))));
    direction = sealed.next;
    return sealed.frame;
  });
}

const anyBytes = fc.uint8Array({ maxLength: 300 });
/** An invalid frame: a damaged one, or random bytes. */
const anyDamage = (frames: readonly Bytes[]) =>
  fc.oneof(
    anyBytes,
    fc
      .tuple(fc.constantFrom(...frames), fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([frame, place, mask]) => {
        const index = place % frame.length;
        return frame.with(index, (frame[index] as number) ^ mask);
      }),
    fc
      .tuple(fc.constantFrom(...frames), fc.nat())
      .map(([frame, length]) => frame.slice(0, length % frame.length)),
    fc
      .tuple(fc.constantFrom(...frames), anyBytes)
      .map(([frame, more]) => Uint8Array.from([...frame, ...more, 0])),
  );

describe("the muster.2 handshake", () => {
  test("NX2 after both messages of the peer the session requests admission with the fields of its hello", () => {
    expect(asked.session.state).toBe("admitting");
    const input = { peerId: PEER.id, name: "noise peer", protocol: "muster/2", joinKey: null };
    expect(commands(asked.effects)).toMatchObject([
      { name: "admit", input: { ...input, session: OBJECT_ID } },
    ]);
  });

  test("NX3 no other frame than the peer's own messages leads to admission, and none makes the session throw", async () => {
    const own = new Set(messages.map(String));
    const damaged = anyDamage(messages).filter((frame) => !own.has(String(frame)));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(first, second), damaged, async (session, frame) => {
        const taken = await stepHandshake(session, frame);
        // The first message is in cleartext: with another key it begins another handshake, which the peer can't complete.
        expect(["noise", "closed"]).toContain(taken.session.state);
        expect(commands(taken.effects)).toEqual([]);
        if (session === second) expect(taken.session.state).toBe("closed");
      }),
      { numRuns: 500 * SCALE },
    );
  });

  test("NX3 each handshake message is accepted once, and only in order", async () => {
    const [one, three] = messages as [Bytes, Bytes];
    expect((await stepHandshake(first, three)).session.state).not.toBe("admitting");
    expect((await stepHandshake(second, one)).session.state).toBe("closed");
  });

  test("NX6 the handshake continues identically after its attachment was written and read back", async () => {
    const again = await stepHandshake(structuredClone(second), messages[1] as Bytes);
    expect(again).toEqual(asked);
  });
});

describe("a muster.2 session", () => {
  const frames = framesOf(split, 20);
  const receive = (session: Session, data: Bytes) =>
    step(session, { type: "frame", data }, at(START));

  test("NX5 the peer's frames are accepted in order, each once", () => {
    let session: Session = active;
    for (const frame of frames) {
      const taken = receive(session, frame);
      expect(taken.session.state).toBe("active");
      expect(taken.effects).toHaveLength(1);
      session = taken.session;
    }
    expect(receive(session, frames[0] as Bytes).session.state).toBe("closed");
  });

  test("NX5 any frame that is not the next one ends the session, and none makes it throw", () => {
    fc.assert(
      fc.property(
        fc.nat(frames.length - 2),
        anyDamage(frames),
        fc.nat(frames.length - 1),
        (goodOnes, damaged, other) => {
          let session: Session = active;
          for (const frame of frames.slice(0, goodOnes)) session = receive(session, frame).session;
          for (const bad of [damaged, frames[other] as Bytes]) {
            if (frames.indexOf(bad) === goodOnes) continue;
            const taken = receive(session, bad);
            expect(taken.session.state).toBe("closed");
            expect(taken.effects.map(({ type }) => type)).toEqual(["close", "command"]);
          }
        },
      ),
      { numRuns: 2_000 * SCALE },
    );
  });

  const refusal = answerTo(
    "finish_task",
    {
      peerId: PEER.id,
      epoch: 1,
      outcome: { task_id: OFFER.task_id, fence: 1, ok: true, result: exactJsonOf(1) },
    },
    err({ code: "lease_lost", detail: "" }),
    OFFER.task_id,
  );

  test("NX6 no send counter is used twice, in any sequence of events", () => {
    const anyEvent = fc.constantFrom("frame", "offer", "cancel", "due", "refused");
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let session: Session = active;
        let now = START;
        let next = 0;
        const sent = new Set<string>();
        for (const type of events) {
          now += 31_000;
          const event =
            type === "frame"
              ? ({ type, data: frames[next++ % frames.length] as Bytes } as const)
              : type === "offer"
                ? ({ type, offer: OFFER } as const)
                : type === "cancel"
                  ? ({ type, taskId: OFFER.task_id, fence: 1, reason: "" } as const)
                  : type === "refused"
                    ? refusal
                    : ({ type: "due" } as const);
          const before = session;
          const taken = step(session, event, at(now));
          const counters = taken.effects.filter(({ type: kind }) => kind === "send").length;
          if (before.state === "active" && taken.session.state === "active") {
            expect(sendCounter(taken.session)).toBe(sendCounter(before) + counters);
          }
          for (const effect of taken.effects) {
            if (effect.type !== "send") continue;
            const text = String(effect.frame);
            expect(sent.has(text)).toBe(false);
            sent.add(text);
          }
          session = taken.session;
        }
      }),
      { numRuns: 200 * SCALE },
    );
  });
});

const OFFER = {
  task_id: "5f0c7a52-0a5e-4b0e-9a4b-6f2f4d1c9b11",
  fence: 1,
  kind: "echo",
  payload: NULL_JSON,
  attempt: 1,
  lease_seconds: 60,
};

const sendCounter = ({ channel }: Active): number =>
  channel.protocol === "muster/2" ? channel.send.counter : Number.NaN;
