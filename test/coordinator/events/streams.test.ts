import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventFilter } from "../../../src/contract/events.ts";
import { eventFrame, openingFrame } from "../../../src/coordinator/events/frames.ts";
import { matches } from "../../../src/coordinator/events/matches.ts";
import { startOf } from "../../../src/coordinator/events/start.ts";
import { nextChunk, withTaken, type EventStream } from "../../../src/coordinator/events/stream.ts";
import { EVENT_WINDOW_CHARS } from "../../../src/protocol/event-limits.ts";
import type { MeshEvent } from "../../../src/protocol/events.ts";
import { EventLog } from "../../../src/registry/event-log.ts";
import { EventRecorder } from "../../../src/registry/event-recorder.ts";
import { openRegistry } from "../../../src/registry/registry.ts";
import { nodeSql } from "../../node-sql.ts";

const START = 1_795_348_800_000;
const MARK = "0badcafe";
const EVERYTHING: EventFilter = {
  types: [],
  kind: null,
  owner: null,
  peer: null,
  tasks: [],
  visibleTo: null,
};
const task = (number: number, owner = "admin", message = ""): MeshEvent => ({
  type: "task.progress",
  task: String(number),
  kind: "echo",
  owner,
  peer: null,
  fence: 1,
  state: "running",
  previous: "running",
  progress: null,
  message,
});

/** A log, and one stream whose reader takes what the test lets it take. */
function streamed(filter: EventFilter, limits = { rows: 20, bytes: 1_000_000 }) {
  const sql = nodeSql();
  openRegistry(sql);
  const recorder = new EventRecorder();
  const log = new EventLog(sql, recorder, limits);
  log.follow(START);
  let stream: EventStream = {
    filter,
    owner: "admin",
    openedAt: START,
    toldAt: START,
    after: log.newest() ?? 0,
    sent: 0,
    taken: 0,
  };
  let onTheWay = "";
  let got = "";
  return {
    log,
    stream: () => stream,
    waiting: () => onTheWay.length,
    got: () => got,
    commit(events: readonly MeshEvent[], now: number): void {
      events.forEach((event) => recorder.record(event));
      log.write(now);
    },
    feed(now: number): void {
      for (;;) {
        const page = (after: number) =>
          log.read(after, 7).events.map((each) => ({ ...each, frame: eventFrame(each, MARK) }));
        const next = nextChunk(stream, { mark: MARK, oldest: log.oldest() ?? 0, page }, now);
        if (next === null) return;
        stream = next.stream;
        onTheWay += next.text;
      }
    },
    take(chars: number): void {
      got += onTheWay.slice(0, chars);
      onTheWay = onTheWay.slice(chars);
      stream = withTaken(stream, got.length);
    },
  };
}

const messagesOf = (text: string) =>
  text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
      return { id: field("id"), type: field("event"), data: JSON.parse(field("data") ?? "null") };
    });

const anyStep = fc.oneof(
  fc.record({ commit: fc.integer({ min: 1, max: 40 }), chars: fc.constantFrom(0, 1_000) }),
  fc.record({ take: fc.integer({ min: 0, max: 40_000 }) }),
);

describe("a stream of the log", () => {
  test("EV9 EV11 EV16 whatever a reader takes and when, it gets each event once and in order, or a gap where the log has lost some, and a bounded part waits", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const tested = streamed(EVERYTHING);
        let [now, committed] = [START, 0];
        for (const step of steps) {
          now++;
          if ("take" in step) tested.take(step.take);
          else {
            const message = "x".repeat(step.chars);
            const events = Array.from({ length: step.commit }, () =>
              task(++committed, "admin", message),
            );
            tested.commit(events, now);
          }
          tested.feed(now);
          expect(tested.waiting()).toBeLessThan(2 * EVENT_WINDOW_CHARS);
        }
        while (tested.waiting() > 0) {
          tested.take(tested.waiting());
          tested.feed(now);
        }
        let expected = 1;
        for (const { type, data } of messagesOf(tested.got())) {
          if (type === "gap") {
            expect(data.reason).toBe("overwritten");
            expected = 0;
          } else if (type !== null) {
            if (expected > 0) expect(data.task).toBe(String(expected));
            expected = Number(data.task) + 1;
          }
        }
        expect(expected).toBe(committed + 1);
      }),
      { numRuns: 60 },
    );
  });

  test("EV16 a reader that the log has passed is told from where to where events are missing", () => {
    const tested = streamed(EVERYTHING, { rows: 3, bytes: 1_000_000 });
    tested.commit([task(1)], START + 1);
    tested.feed(START + 1);
    const { after } = tested.stream();
    for (let number = 2; number <= 6; number++) tested.commit([task(number)], START + number);
    tested.feed(START + 7);
    tested.take(tested.waiting());
    const [, gap, ...events] = messagesOf(tested.got());
    expect(gap).toEqual({
      id: `${tested.log.oldest()}-${MARK}`,
      type: "gap",
      data: {
        reason: "overwritten",
        after: `${after}-${MARK}`,
        until: `${tested.log.oldest()}-${MARK}`,
      },
    });
    expect(events.map(({ data }) => data.task)).toEqual(["4", "5", "6"]);
  });

  test("EV21 a reader learns its position at most every 10 s while no event matches", () => {
    const tested = streamed({ ...EVERYTHING, owner: "nobody" });
    for (const [number, seconds] of [1, 9, 10, 11, 19, 20].entries()) {
      tested.commit([task(number)], START + seconds * 1_000);
      tested.feed(START + seconds * 1_000);
    }
    tested.take(tested.waiting());
    expect(messagesOf(tested.got())).toEqual([
      { id: `${(START + 10_000) * 1_000}-${MARK}`, type: null, data: null },
      { id: `${(START + 20_000) * 1_000}-${MARK}`, type: null, data: null },
    ]);
  });

  test("EV16 what a reader can't have taken is ignored", () => {
    const stream: EventStream = { ...streamed(EVERYTHING).stream(), sent: 100, taken: 40 };
    for (const taken of [-1, 39, 40.5, 101, Number.NaN, Number.POSITIVE_INFINITY])
      expect(withTaken(stream, taken)).toBe(stream);
    expect(withTaken(stream, 100).taken).toBe(100);
  });

  test("EV11 a reader begins at its position, or at the oldest event with the reason", () => {
    const tested = streamed(EVERYTHING, { rows: 2, bytes: 1_000_000 });
    const { log } = tested;
    const empty = log.newest() ?? 0;
    expect(startOf(log, null, MARK)).toEqual({ after: empty, gap: null });
    expect(startOf(log, `${empty}-${MARK}`, MARK)).toEqual({ after: empty, gap: null });
    for (let number = 1; number <= 3; number++) tested.commit([task(number)], START + number);
    const first = (START + 1) * 1_000;
    for (const [id, mark, reason] of [
      [first, MARK, null],
      [first + 2_000, MARK, null],
      [first - 1, MARK, "overwritten"],
      [empty, MARK, "overwritten"],
      [first + 2_001, MARK, "unknown_position"],
      ["9999999999999999", MARK, "unknown_position"],
      [first, "00000000", "other_mesh"],
    ] as const) {
      const { after, gap } = startOf(log, `${id}-${mark}`, MARK);
      expect([gap?.reason ?? null, after]).toEqual([reason, reason === null ? id : first]);
    }
    expect(startOf(log, null, MARK).after).toBe(first + 2_000);
    expect(startOf(log, "oldest", MARK)).toEqual({ after: first, gap: null });
  });

  test("EV20 the log is written for an open stream, whenever somebody opened one last", () => {
    const tested = streamed(EVERYTHING);
    let isOpen = true;
    tested.log.keepWhile(() => isOpen);
    const [day, later] = [START + 86_400_000, START + 2 * 86_400_000];
    tested.commit([task(1)], day);
    tested.feed(day);
    isOpen = false;
    tested.commit([task(2)], day + 60_000);
    tested.feed(day);
    expect(tested.waiting()).toBeGreaterThan(0);
    const newest = tested.log.newest();
    tested.commit([task(3)], later);
    expect(tested.log.newest()).toBe(newest);
  });

  test("EV9 a message of a peer can't forge a line of the stream", () => {
    const event = task(1, "admin", "a\n\nid: 1\r\ndata: {}\u2028\u2029\u0085\u0000");
    const [message, ...more] = messagesOf(eventFrame({ id: 1, at: START, event }, MARK));
    expect(more).toEqual([]);
    // Some clients take these for the end of a line, too.
    expect(eventFrame({ id: 1, at: START, event }, MARK)).not.toMatch(/[\u0085\u2028\u2029]/);
    expect(message?.data).toEqual({ id: `1-${MARK}`, at: "2026-11-22T12:00:00.000Z", ...event });
    expect(openingFrame(`1-${MARK}`)).toBe(`retry: 2000\nid: 1-${MARK}\n\n`);
  });
});

test("EV13 EV14 an event meets every condition, and only tasks of its owner are shown to an owner", () => {
  const circuit: MeshEvent = { type: "circuit.opened", peer: "a", kind: "echo" };
  const own = task(1, "me");
  const peer: MeshEvent = { type: "peer.removed", peer: "me" };
  const found = (filter: Partial<EventFilter>) =>
    [circuit, own, task(2), peer].map((event) => matches({ ...EVERYTHING, ...filter }, event));
  expect(found({})).toEqual([true, true, true, true]);
  expect(found({ kind: "echo" })).toEqual([true, true, true, false]);
  expect(found({ kind: "echo", peer: "a" })).toEqual([true, false, false, false]);
  expect(found({ tasks: ["2", "3"] })).toEqual([false, false, true, false]);
  expect(found({ types: ["circuit.", "peer.removed"] })).toEqual([true, false, false, true]);
  expect(found({ owner: "me" })).toEqual([false, true, false, false]);
  expect(found({ visibleTo: "me" })).toEqual([false, true, false, false]);
  expect(found({ visibleTo: "me", owner: "admin" })).toEqual([false, false, false, false]);
  expect(found({ visibleTo: "me", peer: "me" })).toEqual([false, false, false, false]);
});
