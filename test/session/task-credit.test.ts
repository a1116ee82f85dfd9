import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NULL_JSON } from "../../src/base/json-text/json-text.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import {
  MESSAGES_BURST,
  MESSAGES_PER_SECOND,
  PROGRESS_PER_SECOND,
} from "../../src/protocol/constants.ts";
import type { SessionEvent } from "../../src/session/effects.ts";
import type { Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { toRfc3339 } from "../../src/base/clock.ts";
import { ok } from "../../src/base/result.ts";
import { SCALE } from "./arbitraries.ts";
import { answerTo, at, closes, joined, messages, PEER, said, START } from "./driver.ts";

const ATTEMPT_ANSWERS = 3;

const taskId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

const offerOf = (n: number): TaskOffer => ({
  task_id: taskId(n),
  fence: 1,
  kind: "echo",
  payload: NULL_JSON,
  attempt: 1,
  lease_seconds: 60,
});

type Said = "accept" | "begin" | "progress" | "result" | "refuse" | "stats";

const PAYLOADS = {
  accept: { queued: true },
  begin: {},
  progress: { progress: 0.5 },
  result: { ok: true, result: null },
  refuse: { reason: "busy" },
} as const;
const TYPES = {
  accept: "task_accept",
  begin: "task_accept",
  progress: "task_progress",
  result: "task_result",
  refuse: "task_refuse",
} as const;

let messagesSaid = 0;

/** Timestamps rise, as the SDK's do: of go-p2p 1.0's messages only newer ones are accepted beyond the last 256. */
function saying(what: Said, task: number): SessionEvent {
  const ts = { ts: toRfc3339(START + ++messagesSaid) };
  return what === "stats"
    ? said("get_stats", null, ts)
    : said(TYPES[what], { task_id: taskId(task), fence: 1, ...PAYLOADS[what] }, ts);
}

/** A session under test, with the time. */
class Subject {
  session: Session = joined();
  now = START + 20;

  /** Whether the session is still open after the event. */
  run(event: SessionEvent): boolean {
    const stepped = step(this.session, event, at(this.now));
    this.session = stepped.session;
    const closed = closes(stepped.effects);
    if (closed.length > 0) {
      expect(closed).toEqual([4429]);
      expect(messages(stepped.effects).filter(({ type }) => type === "error")).toEqual([]);
    }
    return this.session.state === "active";
  }
}

/** What a peer does with one attempt, in order. */
const anyLife = fc.record({
  prefetched: fc.boolean(),
  seconds: fc.nat(4),
  end: fc.constantFrom("result", "refuse", "cancelled"),
});

describe("a peer that answers what it was offered", () => {
  test("RL2 is never closed for its rate, however many attempts it holds and however its messages bunch", () => {
    fc.assert(
      fc.property(fc.array(anyLife, { minLength: 1, maxLength: 256 }), (lives) => {
        const subject = new Subject();
        lives.forEach((_, n) => subject.run({ type: "offer", offer: offerOf(n) }));
        lives.forEach((life, n) => subject.run(saying(life.prefetched ? "accept" : "begin", n)));
        for (let second = 0; second <= 4; second++) {
          lives.forEach(({ prefetched, seconds, end }, n) => {
            if (second > seconds) return;
            if (second === 1 && prefetched) expect(subject.run(saying("begin", n))).toBe(true);
            if (second > 0)
              for (let many = 0; many < PROGRESS_PER_SECOND; many++)
                expect(subject.run(saying("progress", n))).toBe(true);
            if (second < seconds) return;
            const ended: SessionEvent =
              end === "cancelled"
                ? { type: "cancel", taskId: taskId(n), fence: 1, reason: "cancelled" }
                : saying(end === "result" ? "result" : "refuse", n);
            expect(subject.run(ended)).toBe(true);
          });
          subject.now += 1_000;
        }
        // All of the allowance is left.
        for (let n = 0; n < MESSAGES_BURST; n++) expect(subject.run(saying("stats", 0))).toBe(true);
        expect(subject.run(saying("stats", 0))).toBe(false);
      }),
      { numRuns: 10 * SCALE },
    );
  });
});

test("RL2 answers that cross a cancel spend no allowance, however many cross", () => {
  const subject = new Subject();
  for (let n = 0; n < 256; n++) subject.run({ type: "offer", offer: offerOf(n) });
  for (let n = 0; n < 256; n++) expect(subject.run(saying("begin", n))).toBe(true);
  for (let n = 0; n < 256; n++)
    subject.run({ type: "cancel", taskId: taskId(n), fence: 1, reason: "cancelled" });
  for (let n = 0; n < 256; n++) expect(subject.run(saying("result", n))).toBe(true);
});

test("RL2 the coordinator's answers correct the number of attempts, so that crossing cancels do not add up", () => {
  const subject = new Subject();
  for (let n = 0; n < 200; n++) subject.run({ type: "offer", offer: offerOf(n) });
  const attempt = { peerId: PEER.id, epoch: 3, taskId: taskId(0), fence: 1 };
  for (let minute = 0; minute < 200; minute++) {
    // One attempt is cancelled while its result is on the way, and a new one is offered.
    subject.run({ type: "cancel", taskId: taskId(0), fence: 1, reason: "cancelled" });
    expect(subject.run(saying("result", 0))).toBe(true);
    subject.run({ type: "offer", offer: offerOf(0) });
    subject.run(
      answerTo("progress_task", { ...attempt, progress: null }, ok({ leasedUntil: 0, held: 200 })),
    );
    for (let n = 0; n < 200; n++) expect(subject.run(saying("progress", n))).toBe(true);
    subject.now += 1_000;
  }
});

test("RL2 progress is not earned for the time before an attempt was offered", () => {
  const subject = new Subject();
  subject.run({ type: "offer", offer: offerOf(0) });
  subject.now += 10_000;
  for (let n = 1; n < 256; n++) subject.run({ type: "offer", offer: offerOf(n) });
  let sent = 0;
  while (subject.run(saying("progress", 0))) sent++;
  expect(sent).toBeLessThanOrEqual(
    MESSAGES_BURST + 256 * PROGRESS_PER_SECOND + 2 * PROGRESS_PER_SECOND,
  );
});

const anyAct = fc.oneof(
  { weight: 2, arbitrary: fc.constant("offer" as const) },
  { weight: 1, arbitrary: fc.constant("cancel" as const) },
  { weight: 2, arbitrary: fc.nat(2_000) },
  {
    weight: 8,
    arbitrary: fc.constantFrom<Said>("accept", "begin", "progress", "result", "refuse", "stats"),
  },
);

describe("a peer that sends as much as it can", () => {
  test("RL2 is closed once it has spent its allowance and what its offers give, whatever it sends", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyAct, fc.nat(3), fc.integer({ min: 1, max: 60 })), { maxLength: 60 }),
        (acts) => {
          const subject = new Subject();
          const began = subject.now;
          let [offers, sent, progressEarned] = [0, 0, 0];
          for (const [act, task, times] of acts) {
            if (typeof act === "number") {
              subject.now += act;
              progressEarned += (act / 1_000) * offers * PROGRESS_PER_SECOND;
              continue;
            }
            if (act === "cancel") {
              subject.run({ type: "cancel", taskId: taskId(task), fence: 1, reason: "" });
              continue;
            }
            for (let n = 0; n < times; n++) {
              if (act === "offer") {
                const { session } = subject;
                subject.run({ type: "offer", offer: offerOf(n) });
                if (session !== subject.session) offers++;
              } else {
                if (!subject.run(saying(act, task))) return;
                sent++;
              }
            }
          }
          const allowance = MESSAGES_BURST + ((subject.now - began) / 1_000) * MESSAGES_PER_SECOND;
          const credit = offers * (ATTEMPT_ANSWERS + PROGRESS_PER_SECOND) + progressEarned;
          expect(sent).toBeLessThanOrEqual(allowance + credit);
        },
      ),
      { numRuns: 150 * SCALE },
    );
  });
});
