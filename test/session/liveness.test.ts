import type { EndCode } from "../../src/peers/session-orders.ts";
import { describe, expect, test } from "vitest";
import { NULL_JSON } from "../../src/base/json-text/json-text.ts";
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
  GRANTED,
  GREETING,
  greeted,
  joined,
  messages,
  commands,
  PEER,
  proved,
  said,
  START,
  admissionAnswered,
  observationAnswered,
} from "./driver.ts";

const due = (session: Session, now: Millis): Step => step(session, { type: "due" }, at(now));

/** The session with an outstanding ping, and the time when the ping was sent. */
function pinged(session: Active = joined()): { session: Active; sentAt: Millis } {
  const sentAt = present(dueAt(session));
  return { session: active(due(session, sentAt)), sentAt };
}

/** The step for the pong to the outstanding ping, which arrives at `now`. */
const answer = (session: Active, now: Millis, echo = 0): Step =>
  step(
    session,
    said(
      "pong",
      { sentAt: echo, receivedAt: echo },
      { replyTo: present(session.liveness.ping).id },
    ),
    at(now),
  );

describe("the deadline of a handshake", () => {
  test("HS7 a session without a handshake is closed with 4408", () => {
    const { session, effects } = step(GREETING, { type: "handshake_timeout" }, at(START));
    expect(session.state).toBe("closed");
    expect(closes(effects)).toEqual([CLOSE.timeout]);
    expect(commands(effects)).toEqual([]);
  });

  test("HS7 a session without the pong that proves the key is closed with 4401", () => {
    const { session, effects } = step(greeted().session, { type: "handshake_timeout" }, at(START));
    expect(session.state).toBe("closed");
    expect(closes(effects)).toEqual([CLOSE.handshake]);
    expect(commands(effects)).toEqual([]);
  });

  test("HS7 the deadline does not end a session whose key is proved", () => {
    const session = joined();
    expect(step(session, { type: "handshake_timeout" }, at(START))).toEqual({
      session,
      effects: [],
    });
  });
});

describe("an admission that is answered after its socket closed", () => {
  const result = { ok: true, value: { ...GRANTED.value, epoch: 5 } } as const;

  test("LV6 a session that was admitted after its socket closed is reported as gone at once", () => {
    const left = step(
      proved(),
      { type: "closed", reason: "the connection closed", silent: false },
      at(START),
    );
    expect(commands(left.effects)).toEqual([]);
    const late = step(left.session, admissionAnswered(result), at(START));
    expect(late.session.state).toBe("closed");
    expect(commands(late.effects)).toMatchObject([
      { name: "gone", input: { peerId: PEER.id, epoch: 5 } },
    ]);
  });

  test("LV6 a refused admission after the socket closed needs no command", () => {
    const left = step(
      proved(),
      { type: "closed", reason: "the connection closed", silent: false },
      at(START),
    );
    const error = { code: "not_allowed", detail: "" } as const;
    const late = step(left.session, admissionAnswered({ ok: false, error }), at(START));
    expect(late.effects).toEqual([]);
  });
});

const smoothed = (session: Session): number =>
  session.state === "active" ? session.rtt.smoothedMs : Number.NaN;

describe("pings of the mesh to a peer without heartbeats", () => {
  test("LV2 a ping is sent 30 s after the last one, the one that proved the key included", () => {
    const session = joined();
    expect(dueAt(session)).toBe(START + 30 * SECOND);
    expect(due(session, START + 30 * SECOND - 1)).toEqual({ session, effects: [] });
    const first = due(session, START + 30 * SECOND);
    expect(messages(first.effects)).toMatchObject([{ type: "ping", to: PEER.id }]);
    const answered = active(answer(active(first), START + 31 * SECOND));
    expect(dueAt(answered)).toBe(START + 60 * SECOND);
  });

  test("LV2 the RTT is measured from the stored send time and smoothed with weight one eighth", () => {
    const { session, sentAt } = pinged();
    expect(smoothed(session)).toBe(20);
    const answered = active(answer(session, sentAt + 100));
    expect(smoothed(answered)).toBe(20 + (100 - 20) / 8);
    const again = pinged(answered);
    expect(smoothed(active(answer(again.session, again.sentAt + 30)))).toBe(30);
  });

  test.each([0, -1e15, 1e15, START + 30 * SECOND + 119, Number.MAX_VALUE])(
    "LV2 the echoed send time %d is ignored",
    (echo) => {
      const { session, sentAt } = pinged();
      expect(smoothed(active(answer(session, sentAt + 100, echo)))).toBe(30);
    },
  );

  test("LV2 a pong that answers no outstanding ping changes nothing", () => {
    const { session, sentAt } = pinged();
    const pong = said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: crypto.randomUUID() });
    const stray = step(session, pong, at(sentAt + 5));
    expect(stray.effects).toEqual([]);
    expect(active(stray)).toMatchObject({ liveness: { ping: session.liveness.ping } });
    expect(smoothed(active(stray))).toBe(20);
    const late = answer(active(stray), sentAt + 8);
    const id = present(session.liveness.ping).id;
    const twice = step(
      active(late),
      said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: id }),
      at(sentAt + 9 * SECOND),
    );
    expect(smoothed(active(twice))).toBe(smoothed(active(late)));
  });

  test("LV2 an RTT is not negative when the clock was set back", () => {
    const { session, sentAt } = pinged();
    expect(smoothed(active(answer(session, sentAt - MINUTE)))).toBe(17.5);
  });

  test("LV2 an RTT is reported to the coordinator when it changes by a quarter, and not for every pong", () => {
    const { session, sentAt } = pinged();
    expect(commands(answer(session, sentAt + 20).effects)).toEqual([]);
    const moved = answer(session, sentAt + 100);
    expect(commands(moved.effects)).toMatchObject([
      {
        name: "observe",
        input: { peerId: PEER.id, epoch: 3, seq: 1, event: "answered", rtt: { smoothedMs: 30 } },
      },
    ]);
  });

  test("LV2 an unchanged RTT is reported once an hour, with a growing sequence number", () => {
    let { session, sentAt } = pinged();
    const told: [Millis, unknown][] = [];
    for (let round = 0; round < 250; round++) {
      const answered = answer(session, sentAt + 20);
      for (const { input } of commands(answered.effects))
        told.push([sentAt - START, "seq" in input && input.seq]);
      ({ session, sentAt } = pinged(active(answered)));
    }
    expect(told).toEqual([
      [60 * MINUTE, 1],
      [120 * MINUTE, 2],
    ]);
  });
});

describe("a ping without an answer", () => {
  test("LV3 after 10 s without an answer the peer is suspect and pinged again", () => {
    const { session, sentAt } = pinged();
    expect(due(session, sentAt + 10 * SECOND - 1)).toEqual({ session, effects: [] });
    const missed = due(session, sentAt + 10 * SECOND);
    expect(commands(missed.effects)).toMatchObject([
      { name: "observe", input: { peerId: PEER.id, epoch: 3, event: "missed_answer" } },
    ]);
    expect(messages(missed.effects)).toMatchObject([{ type: "ping" }]);
    expect(active(missed).liveness.ping?.id).not.toBe(present(session.liveness.ping).id);
  });

  test("LV3 an answer ends the suspicion and is reported at once", () => {
    const { session, sentAt } = pinged();
    const suspect = active(due(session, sentAt + 10 * SECOND));
    const answered = answer(suspect, sentAt + 10 * SECOND + 20);
    expect(active(answered).liveness.missed).toBe(0);
    expect(commands(answered.effects)).toMatchObject([
      { name: "observe", input: { event: "answered" } },
    ]);
  });

  test("LV3 a late answer to an earlier ping does not end the suspicion", () => {
    const { session, sentAt } = pinged();
    const suspect = active(due(session, sentAt + 10 * SECOND));
    const { id } = present(session.liveness.ping);
    const late = said("pong", { sentAt: 0, receivedAt: 0 }, { replyTo: id });
    const after = step(suspect, late, at(sentAt + 11 * SECOND));
    expect(commands(after.effects)).toEqual([]);
    expect(active(after).liveness.missed).toBe(1);
  });

  test("LV3 a missed answer is not reported when another message of the peer arrived in the meantime", () => {
    const { session, sentAt } = pinged();
    const spoke = active(step(session, said("get_stats", null), at(sentAt + 9 * SECOND)));
    const looked = due(spoke, sentAt + 10 * SECOND);
    expect(commands(looked.effects)).toEqual([]);
    expect(active(looked).liveness.missed).toBe(0);
  });

  test("LV4 the second missed answer in a row ends the session with 4408, as silent", () => {
    const { session, sentAt } = pinged();
    const suspect = active(due(session, sentAt + 10 * SECOND));
    expect(due(suspect, sentAt + 20 * SECOND - 1)).toEqual({ session: suspect, effects: [] });
    const ended = due(suspect, sentAt + 20 * SECOND);
    expect(ended.session.state).toBe("closed");
    expect(closes(ended.effects)).toEqual([CLOSE.timeout]);
    expect(commands(ended.effects)).toMatchObject([
      { name: "gone", input: { epoch: 3, silent: true } },
    ]);
  });

  test("LV4 only missed answers in a row are counted", () => {
    let { session, sentAt } = pinged();
    for (let round = 0; round < 5; round++) {
      const suspect = active(due(session, sentAt + 10 * SECOND));
      const answered = active(answer(suspect, sentAt + 11 * SECOND));
      const judged = active(step(answered, observationAnswered(false), at(sentAt)));
      ({ session, sentAt } = pinged(judged));
    }
    expect(active(due(session, sentAt + 10 * SECOND)).liveness.missed).toBe(1);
  });

  test("LV11 a check that comes late extends the wait by its lateness, at most by a minute and once per ping", () => {
    const { session, sentAt } = pinged();
    const woke = sentAt + 5 * 60 * MINUTE;
    const late = due(session, woke);
    expect(commands(late.effects)).toEqual([]);
    expect(dueAt(late.session)).toBe(woke + MINUTE);
    const missed = due(active(late), woke + 3 * MINUTE);
    expect(active(missed).liveness.missed).toBe(1);
    expect(dueAt(missed.session)).toBe(woke + 3 * MINUTE + 10 * SECOND);
  });
});

describe("a peer that the coordinator counts as suspect", () => {
  const judged = (session: Active, suspect: boolean, now: Millis): Active =>
    active(step(session, observationAnswered(suspect), at(now)));

  test("LV9 a suspect peer is pinged every 30 s, and each answer is reported, until the coordinator clears it", () => {
    const { session, sentAt } = pinged();
    const missed = active(due(session, sentAt + 10 * SECOND));
    const answered = judged(active(answer(missed, sentAt + 11 * SECOND)), true, sentAt);
    const again = pinged(answered);
    expect(again.sentAt).toBe(sentAt + 40 * SECOND);
    const told = answer(again.session, again.sentAt + 20);
    expect(commands(told.effects)).toMatchObject([
      { name: "observe", input: { event: "answered" } },
    ]);
    const content = judged(active(told), false, again.sentAt);
    const next = pinged(content);
    expect(commands(answer(next.session, next.sentAt + 20).effects)).toEqual([]);
  });

  test("LV10 a peer that is probed after an offer without an answer is pinged at once, and its next miss ends the session", () => {
    const session = joined();
    const doubted = step(session, { type: "probe" }, at(START + SECOND));
    expect(messages(doubted.effects)).toMatchObject([{ type: "ping" }]);
    const ended = due(active(doubted), START + 11 * SECOND);
    expect(closes(ended.effects)).toEqual([CLOSE.timeout]);
  });
});

describe("an offer to a peer", () => {
  const offer = {
    task_id: crypto.randomUUID(),
    fence: 1,
    kind: "echo",
    payload: NULL_JSON,
    attempt: 1,
    lease_seconds: 60,
  };
  const give = (session: Session, now: Millis): Step =>
    step(session, { type: "offer", offer }, at(now));

  test("LV10 an offer is withheld from a peer that was not heard for 55 s; the peer is pinged instead", () => {
    const session = joined();
    const given = give(session, START + 20 + 55 * SECOND);
    expect(messages(given.effects)).toMatchObject([{ type: "task_offer" }]);
    const withheld = give(session, START + 20 + 55 * SECOND + 1);
    expect(messages(withheld.effects)).toMatchObject([{ type: "ping" }]);
    expect(withheld.effects).toContainEqual({ type: "offer_withheld" });
    expect(active(withheld).liveness).toMatchObject({ suspect: true, missed: 1 });
  });

  test("LV8 an offer is accompanied by a ping when the last RTT sample is a minute old; the offer does not wait for the pong", () => {
    const spoke = active(step(joined(), said("get_stats", null), at(START + 50 * SECOND)));
    const before = dueAt(spoke);
    const early = give(spoke, START + 55 * SECOND);
    expect(messages(early.effects)).toMatchObject([{ type: "task_offer" }]);
    const later = give(spoke, START + 61 * SECOND);
    expect(messages(later.effects)).toMatchObject([{ type: "task_offer" }, { type: "ping" }]);
    expect(active(later).liveness.ping?.dueAt).toBeNull();
    expect(dueAt(later.session)).toBeGreaterThan(present(before));
  });
});

describe("a session that the mesh ends", () => {
  const reconnect = { slot: 5, per_second: 100 };
  const disconnectOf = (code: EndCode) => {
    const fault = { code, detail: "the reason" };
    return messages(step(joined(), { type: "end", fault }, at(START)).effects);
  };

  test("DR7 moves the position back by the pause of a restart", () => {
    const fault = {
      code: "mesh_restarting",
      detail: "the mesh is restarting",
      retryAfter: 30,
    } as const;
    const { effects } = step(joined(), { type: "end", fault }, at(START));
    const [disconnect] = messages(effects);
    expect(disconnect?.payload).toMatchObject({ reconnect: { slot: 3_005, per_second: 100 } });
    expect(effects.at(-2)).toMatchObject({ type: "close", code: 4503 });
  });

  test.each<EndCode>(["forgotten", "mesh_full", "mesh_restarting"])(
    "LV14 tells the peer when to reconnect if it may come back (%s)",
    (code) => {
      expect(disconnectOf(code)).toMatchObject([{ type: "disconnect", payload: { reconnect } }]);
    },
  );

  test.each<EndCode>(["revoked", "not_allowed", "superseded", "rotated"])(
    "LV14 sends no reconnect time to a peer that must not come back (%s)",
    (code) => {
      const [disconnect] = disconnectOf(code);
      expect(disconnect).toMatchObject({ type: "disconnect", payload: { reason: "the reason" } });
      expect(disconnect?.payload).not.toHaveProperty("reconnect");
    },
  );
});
