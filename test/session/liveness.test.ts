import { describe, expect, test } from "vitest";
import { MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import { CLOSE } from "../../src/protocol/errors.ts";
import type { Step } from "../../src/session/effects.ts";
import { dueAt } from "../../src/session/liveness.ts";
import type { Active, Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { present } from "../must.ts";
import {
  active,
  at,
  closes,
  GREETING,
  greeted,
  joined,
  messages,
  notes,
  PEER,
  proved,
  said,
  START,
} from "./driver.ts";

const due = (session: Session, now: Millis): Step => step(session, { type: "due" }, at(now));

/** The session with a ping of ours under way, and when that ping left. */
function pinged(session: Active = joined()): { session: Active; sentAt: Millis } {
  const sentAt = present(dueAt(session));
  return { session: active(due(session, sentAt)), sentAt };
}

/** The peer's answer to the ping under way, arriving at `now`. */
const answer = (session: Active, now: Millis, echo = 0): Step =>
  step(
    session,
    said("pong", { sentAt: echo, receivedAt: echo }, { replyTo: present(session.ping).id }),
    at(now),
  );

describe("a handshake's deadline", () => {
  test("HS7 closes a session without a handshake with 4408", () => {
    const { session, effects } = step(GREETING, { type: "handshake_timeout" }, at(START));
    expect(session.state).toBe("closed");
    expect(closes(effects)).toEqual([CLOSE.timeout]);
    expect(notes(effects)).toEqual([]);
  });

  test("HS7 closes a session without the proving pong with 4401", () => {
    const { session, effects } = step(greeted().session, { type: "handshake_timeout" }, at(START));
    expect(session.state).toBe("closed");
    expect(closes(effects)).toEqual([CLOSE.handshake]);
    expect(notes(effects)).toEqual([]);
  });

  test("HS7 ends no session that is proved by then", () => {
    const session = joined();
    expect(step(session, { type: "handshake_timeout" }, at(START))).toEqual({
      session,
      effects: [],
    });
  });
});

describe("an admission that is answered when its peer has left", () => {
  const result = { ok: true, value: { epoch: 5, role: "worker" } } as const;

  test("LV6 is given back at once", () => {
    const left = step(proved(), { type: "closed", reason: "the connection closed" }, at(START));
    expect(notes(left.effects)).toEqual([]);
    const late = step(left.session, { type: "admitted", result }, at(START));
    expect(late.session.state).toBe("closed");
    expect(notes(late.effects)).toMatchObject([
      { name: "gone", input: { peerId: PEER.id, epoch: 5 } },
    ]);
  });

  test("LV6 needs no word when it was refused", () => {
    const left = step(proved(), { type: "closed", reason: "the connection closed" }, at(START));
    const error = { code: "not_allowed", detail: "" } as const;
    const late = step(left.session, { type: "admitted", result: { ok: false, error } }, at(START));
    expect(late.effects).toEqual([]);
  });
});

describe("the mesh's pings", () => {
  test("LV2 come 30 s after the last one, and not before", () => {
    const session = joined();
    expect(dueAt(session)).toBe(START + 20 + 30 * SECOND);
    expect(due(session, START + 20 + 30 * SECOND - 1)).toEqual({ session, effects: [] });
    const first = due(session, START + 20 + 30 * SECOND);
    expect(messages(first.effects)).toMatchObject([{ type: "ping", to: PEER.id }]);
    const answered = active(answer(active(first), START + 20 + 31 * SECOND));
    expect(dueAt(answered)).toBe(START + 20 + 60 * SECOND);
  });

  test("LV2 take the RTT from the stored send time, smoothed by an eighth", () => {
    const { session, sentAt } = pinged();
    expect(session.rttMs).toBe(20);
    const answered = active(answer(session, sentAt + 100));
    expect(answered.rttMs).toBe(20 + (100 - 20) / 8);
    const again = pinged(answered);
    expect(active(answer(again.session, again.sentAt + 30)).rttMs).toBe(30);
  });

  test.each([0, -1e15, 1e15, START + 30 * SECOND + 119, Number.MAX_VALUE])(
    "LV2 ignore an echo of %d",
    (echo) => {
      const { session, sentAt } = pinged();
      expect(active(answer(session, sentAt + 100, echo)).rttMs).toBe(30);
    },
  );

  test("LV2 take nothing from a pong that answers no outstanding ping", () => {
    const { session, sentAt } = pinged();
    const pong = said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: crypto.randomUUID() });
    const stray = step(session, pong, at(sentAt + 5));
    expect(stray.effects).toEqual([]);
    expect(active(stray)).toMatchObject({ ping: session.ping, rttMs: 20 });
    const late = answer(active(stray), sentAt + 8);
    const twice = step(
      active(late),
      said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: present(session.ping).id }),
      at(sentAt + 9 * SECOND),
    );
    expect(active(twice).rttMs).toBe(active(late).rttMs);
  });

  test("LV2 are not answered below zero when the clock was set back", () => {
    const { session, sentAt } = pinged();
    expect(active(answer(session, sentAt - MINUTE)).rttMs).toBe(17.5);
  });

  test("LV2 are told of when the RTT moves by a quarter, and not each time", () => {
    const { session, sentAt } = pinged();
    expect(notes(answer(session, sentAt + 20).effects)).toEqual([]);
    expect(notes(answer(session, sentAt + 100).effects)).toMatchObject([
      { name: "observe", input: { peerId: PEER.id, epoch: 3, event: "answered", rttMs: 30 } },
    ]);
  });

  test("LV2 are told of every five minutes when nothing changes", () => {
    let { session, sentAt } = pinged();
    const told: Millis[] = [];
    for (let round = 0; round < 25; round++) {
      const answered = answer(session, sentAt + 20);
      if (notes(answered.effects).length > 0) told.push(sentAt - START);
      ({ session, sentAt } = pinged(active(answered)));
    }
    expect(told).toEqual([5 * MINUTE + 20, 10 * MINUTE + 20]);
  });
});

describe("a ping that goes unanswered", () => {
  test("LV3 makes the peer suspect after 10 s and is followed by another", () => {
    const { session, sentAt } = pinged();
    expect(due(session, sentAt + 10 * SECOND - 1)).toEqual({ session, effects: [] });
    const missed = due(session, sentAt + 10 * SECOND);
    expect(notes(missed.effects)).toMatchObject([
      { name: "observe", input: { peerId: PEER.id, epoch: 3, event: "missed_answer" } },
    ]);
    expect(messages(missed.effects)).toMatchObject([{ type: "ping" }]);
    expect(active(missed).ping?.id).not.toBe(present(session.ping).id);
  });

  test("LV3 is made good by an answer, which is told at once", () => {
    const { session, sentAt } = pinged();
    const suspect = active(due(session, sentAt + 10 * SECOND));
    const answered = answer(suspect, sentAt + 10 * SECOND + 20);
    expect(active(answered).missed).toBe(0);
    expect(notes(answered.effects)).toMatchObject([
      { name: "observe", input: { event: "answered" } },
    ]);
  });

  test("LV3 is not made good by a late answer to the ping that was given up", () => {
    const { session, sentAt } = pinged();
    const suspect = active(due(session, sentAt + 10 * SECOND));
    const late = said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: present(session.ping).id });
    const after = step(suspect, late, at(sentAt + 11 * SECOND));
    expect(notes(after.effects)).toEqual([]);
    expect(active(after).missed).toBe(1);
  });

  test("LV4 ends the session with 4408 at the second in a row", () => {
    const { session, sentAt } = pinged();
    const suspect = active(due(session, sentAt + 10 * SECOND));
    expect(due(suspect, sentAt + 20 * SECOND - 1)).toEqual({ session: suspect, effects: [] });
    const ended = due(suspect, sentAt + 20 * SECOND);
    expect(ended.session.state).toBe("closed");
    expect(closes(ended.effects)).toEqual([CLOSE.timeout]);
    expect(notes(ended.effects)).toMatchObject([{ name: "gone", input: { epoch: 3 } }]);
  });

  test("LV4 counts only misses in a row", () => {
    let { session, sentAt } = pinged();
    for (let round = 0; round < 5; round++) {
      const suspect = active(due(session, sentAt + 10 * SECOND));
      const answered = active(answer(suspect, sentAt + 11 * SECOND));
      ({ session, sentAt } = pinged(answered));
    }
    expect(active(due(session, sentAt + 10 * SECOND)).missed).toBe(1);
  });

  test("LV4 needs two waits even when the object wakes hours late", () => {
    const { session, sentAt } = pinged();
    const late = due(session, sentAt + 5 * 60 * MINUTE);
    expect(active(late).missed).toBe(1);
    expect(dueAt(late.session)).toBe(sentAt + 5 * 60 * MINUTE + 10 * SECOND);
  });
});
