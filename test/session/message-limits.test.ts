import { describe, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { MINUTE, SECOND, toRfc3339, type Millis } from "../../src/base/clock.ts";
import type { Json } from "../../src/base/json.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { MESSAGE_LIMITS, type LimitedType } from "../../src/protocol/message-limits.ts";
import type { Active } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { seededRandom } from "../random.ts";
import { active, at, closes, commands, joined, messages, said, START } from "./driver.ts";

const OTHER = newKeyPair(seededRandom(78));
const KEY = toHex(OTHER.publicKey);
const PAYLOADS: { readonly [T in LimitedType]: Json } = {
  rotate: { public_key: KEY, proof: "00".repeat(32) },
  advert: { peers: [{ public_key: KEY, address: "", role: "worker" }] },
  announce: { slots: 3 },
  rtts: { rtts: [{ peer_id: OTHER.id, rtt_ms: 5 }] },
  drain: { reason: "bye", timeout_seconds: 60 },
};
const TYPES = Object.keys(PAYLOADS) as LimitedType[];
const RATE_LIMITED = /^too many/;

const send = (session: Active, type: LimitedType, now: Millis) =>
  step(session, said(type, PAYLOADS[type], { ts: toRfc3339(now) }), at(now));

/** Whether the step refused the message because there were too many of its type. */
const refusals = (effects: Parameters<typeof messages>[0]): boolean =>
  messages(effects).some(({ payload }) =>
    RATE_LIMITED.test((payload as { message?: string }).message ?? ""),
  );

describe("messages that cost the coordinator a command", () => {
  test.for(TYPES)(
    "RL20 %s: as many as the table says reach their handler, and one more each period",
    (type) => {
      const { max, per } = MESSAGE_LIMITS[type];
      let session = joined();
      for (let n = 1; n <= max + 3; n++) {
        const sent = send(session, type, START + 100);
        expect(refusals(sent.effects)).toBe(n > max);
        if (n > max) expect(commands(sent.effects)).toEqual([]);
        session = active(sent);
      }
      const later = send(session, type, START + 100 + per);
      expect(refusals(later.effects)).toBe(false);
      expect(refusals(send(active(later), type, START + 100 + per).effects)).toBe(true);
      expect(session.strikes).toBe(0);
    },
  );

  test.for(TYPES)("RL20 %s: a session that goes on above the limit is closed with 4429", (type) => {
    let session = joined();
    let sent = 0;
    // Slowly enough for the allowance of all messages.
    for (let now = START; now < START + 5 * MINUTE; now += SECOND / 40) {
      const { effects, ...next } = send(session, type, now);
      sent++;
      if (closes(effects).length > 0) {
        expect(closes(effects)).toEqual([4429]);
        expect(sent).toBeLessThan(1_000);
        return;
      }
      session = active({ effects, ...next });
    }
    throw new Error(`${sent} messages did not close the session`);
  });

  test("RL20 each type has its own limit: using one up refuses no other", () => {
    let session = joined();
    for (let n = 0; n < 5; n++) session = active(send(session, "rotate", START + 100));
    expect(refusals(send(session, "announce", START + 100).effects)).toBe(false);
  });
});
