import { ok } from "../../src/base/result.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHex, toHex, type Bytes } from "../../src/base/bytes.ts";
import { toRfc3339, type Millis } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { peerIdOf } from "../../src/crypto/identity.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { ADVERT_INTERVAL } from "../../src/protocol/constants.ts";
import type { SessionEffect } from "../../src/session/effects.ts";
import type { Active } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { SCALE } from "./arbitraries.ts";
import {
  active,
  at,
  closes,
  joined,
  messages,
  commands,
  said,
  START,
  suspect,
  type Claimed,
  answerTo,
  PEER,
} from "./driver.ts";

const OTHER = newKeyPair(seededRandom(77));
const TOLD = {
  public_key: toHex(OTHER.publicKey),
  address: "198.51.100.7:9091",
  role: "worker",
  rtt_ms: 3.5,
};

const advertCommands = (effects: readonly SessionEffect[]) =>
  effects.flatMap((effect) =>
    effect.type === "command" && effect.command.name === "hear_advert"
      ? [{ input: effect.command.input, messageId: effect.messageId }]
      : [],
  );

const advertAt = (session: Active, now: Millis, peers: Json = [TOLD]) =>
  step(session, said("advert", { peers }, { ts: toRfc3339(now) }), at(now));

const ADVERT = { peerId: PEER.id, epoch: 3, peers: [] };

describe("an advert of other peers", () => {
  test("GS1 an advert goes to the coordinator as a command, with the peer IDs computed from the keys", () => {
    const { effects } = advertAt(joined(), START + 100, [
      TOLD,
      { ...TOLD, rtt_ms: undefined } as never,
    ]);
    const told = {
      peerId: OTHER.id,
      publicKey: TOLD.public_key,
      address: TOLD.address,
      role: "worker",
    };
    expect(advertCommands(effects)).toMatchObject([
      {
        input: {
          epoch: 3,
          peers: [
            { ...told, rttMs: 3.5 },
            { ...told, rttMs: null },
          ],
        },
      },
    ]);
    expect(messages(effects)).toEqual([]);
  });

  test("GS7 the reply to an advert is the coordinator's sample of pointers and names the advert", () => {
    const { session, effects } = advertAt(joined(), START + 100);
    const { messageId } = present(advertCommands(effects)[0]);
    const pointers = ["12".repeat(16)];
    const event = answerTo("hear_advert", ADVERT, ok({ pointers }), messageId);
    const sampled = step(session, event, at(START + 101));
    expect(messages(sampled.effects)).toMatchObject([
      { type: "sample", replyTo: messageId, payload: { pointers } },
    ]);
  });

  test("GS7 an advert gets no reply when its session has ended", () => {
    const { session } = step(joined(), { type: "closed", reason: "", silent: false }, at(START));
    const sampled = answerTo("hear_advert", ADVERT, ok({ pointers: [] }), "x");
    expect(step(session, sampled, at(START))).toEqual({ session, effects: [] });
  });

  test("GS1 peers whose key is not canonical are left out of an advert", () => {
    const { effects } = advertAt(joined(), START + 100, [
      { ...TOLD, public_key: "ff".repeat(32) },
      TOLD,
    ]);
    expect(advertCommands(effects)[0]?.input.peers).toHaveLength(1);
  });

  test("GS8 a second advert within a minute is refused without a strike", () => {
    let session: Active = active(advertAt(joined(), START + 100));
    for (let n = 1; n <= 5; n++) {
      const early = advertAt(session, START + 100 + (ADVERT_INTERVAL - 1) * (n / 5));
      expect(advertCommands(early.effects)).toEqual([]);
      expect(messages(early.effects)).toMatchObject([{ type: "error", payload: { code: 1004 } }]);
      session = active(early);
    }
    expect(session.strikes).toBe(0);
    expect(advertCommands(advertAt(session, START + 100 + ADVERT_INTERVAL).effects)).toHaveLength(
      1,
    );
  });

  test("GS1 an advert of a go-p2p node that does not announce Muster's messages is a strike", () => {
    let session: Active = joined({ speaksMuster: false });
    for (let n = 0; n < 2; n++) {
      const { effects, ...step1 } = advertAt(session, START + 100 + n);
      expect(advertCommands(effects)).toEqual([]);
      expect(messages(effects)).toMatchObject([{ type: "error", payload: { code: 1001 } }]);
      session = active({ effects, ...step1 });
    }
    expect(closes(advertAt(session, START + 200).effects)).toEqual([4400]);
  });

  test.each([
    ["33 peers", Array.from({ length: 33 }, () => TOLD)],
    ["a key of another length", [{ ...TOLD, public_key: "ab" }]],
    ["an address with control characters", [{ ...TOLD, address: "\u001b[2J" }]],
    ["an unknown role", [{ ...TOLD, role: "king" }]],
    ["not a list", null],
  ])("HS13 an advert that is malformed (%s) is a strike", (_, peers) => {
    const { session, effects } = advertAt(joined(), START + 100, peers);
    expect(advertCommands(effects)).toEqual([]);
    expect(session).toMatchObject({ state: "active", strikes: 1 });
  });

  test("GS8 in any sequence of adverts at most one a minute reaches the coordinator, for the session's own peer", () => {
    const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
    const anyTold = fc.record({
      public_key: anyKey,
      address: fc.constantFrom("", "a:1"),
      role: fc.constantFrom("worker", "dual", "controller"),
    });
    const anyAdvert = fc.tuple(
      fc.array(anyTold, { maxLength: 32 }),
      fc.integer({ min: 0, max: 2 * ADVERT_INTERVAL }),
    );
    const anyClaim: fc.Arbitrary<[Claimed, boolean]> = fc.tuple(
      fc.record({ speaksMuster: fc.boolean() }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(
        anyClaim,
        fc.array(anyAdvert, { maxLength: 12 }),
        ([claimed, silent], adverts) => {
          let session = silent ? suspect(claimed) : joined(claimed);
          let now = START + 200_000;
          let last = Number.NEGATIVE_INFINITY;
          for (const [peers, later] of adverts) {
            now += later;
            const after = advertAt(session, now, peers);
            for (const { input } of advertCommands(after.effects)) {
              expect(claimed.speaksMuster).toBe(true);
              expect(now - last).toBeGreaterThanOrEqual(ADVERT_INTERVAL);
              expect(input).toMatchObject({ peerId: session.claim.peerId, epoch: session.epoch });
              for (const { peerId, publicKey } of input.peers)
                expect(peerId).toBe(peerIdOf(fromHex(publicKey) as Bytes));
              last = now;
            }
            expect(
              commands(after.effects).filter(
                ({ name }) => name !== "gone" && name !== "hear_advert",
              ),
            ).toEqual([]);
            if (after.session.state !== "active") return;
            session = after.session;
          }
        },
      ),
      { numRuns: 60 * SCALE },
    );
  });
});
