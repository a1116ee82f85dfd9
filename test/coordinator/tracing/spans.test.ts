import { describe, expect, test } from "vitest";
import { SECOND } from "../../../src/base/clock.ts";
import { isInShare, isSampled, traceBelow } from "../../../src/coordinator/tracing/sampling.ts";
import { PLACES, spanIdOf, type Span } from "../../../src/coordinator/tracing/span.ts";
import {
  callbackSpans,
  taskSpans,
  type StoredRun,
} from "../../../src/coordinator/tracing/spans.ts";
import type { Attempt } from "../../../src/tasks/task.ts";
import { seededRandom } from "../../random.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { aTask } from "../../contracts/records.ts";

const T = 1_767_225_600_000;
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const TRACE = { traceparent: `00-${TRACE_ID}-${CALLER}-01`, tracestate: "vendor=value" };

const anAttempt = (fence: number, more: Partial<Attempt>): Attempt => ({
  taskId: "t",
  fence,
  peerId: "9f86d081884c7d659a2feaa0c55ad015",
  peerName: "atlas",
  score: 1,
  state: "succeeded",
  startedAt: T,
  begunAt: null,
  endedAt: null,
  error: "a secret of the payload",
  retries: 0,
  refusals: 0,
  ...more,
});

const aRun = (more: Partial<StoredRun> = {}, task: Partial<StoredRun["task"]> = {}): StoredRun => ({
  task: aTask({
    trace: TRACE,
    state: "succeeded",
    createdAt: T,
    retries: 0,
    retriedAt: null,
    endedAt: T + 10 * SECOND,
    fence: 2,
    ...task,
  }),
  attempts: [],
  callback: null,
  upload: null,
  ...more,
});

/** Name, times in seconds since the submission, and whether it failed. */
const shown = (spans: readonly Span[]) =>
  spans.map(({ name, startedAt, endedAt, failed }) => [
    name,
    (startedAt - T) / SECOND,
    endedAt === null ? null : (endedAt - T) / SECOND,
    ...(failed ? ["failed"] : []),
  ]);

const TWO_ATTEMPTS = [
  anAttempt(1, {
    startedAt: T + SECOND,
    begunAt: T + 1_250,
    endedAt: T + 3 * SECOND,
    state: "failed",
  }),
  anAttempt(2, { startedAt: T + 5 * SECOND, endedAt: T + 10 * SECOND }),
];

describe("the spans of a task", () => {
  test("TR10 are the task, its submission, and in turn the times in the queue and the attempts", () => {
    const spans = taskSpans(aRun({ attempts: TWO_ATTEMPTS }));
    expect(shown(spans)).toEqual([
      ["muster.task", 0, 10],
      ["muster.submit", 0, 0],
      ["muster.wait", 0, 1],
      ["muster.attempt", 1, 3, "failed"],
      ["muster.wait", 3, 5],
      ["muster.attempt", 5, 10],
    ]);
    const [root, ...below] = spans;
    expect(root?.parentId).toBe(CALLER);
    expect(new Set(below.map(({ parentId }) => parentId))).toEqual(new Set([root?.spanId]));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(spans[3]?.attributes).toMatchObject({
      "muster.attempt.fence": 1,
      "muster.attempt.state": "failed",
      "muster.attempt.begun_after_ms": 250,
      "muster.peer.name": "atlas",
    });
  });

  test("TR10 a task that ends in the queue has a last wait, and one that waits or runs has a span that has not ended", () => {
    const expired = { state: "expired", endedAt: T + 9 * SECOND } as const;
    expect(shown(taskSpans(aRun({}, expired)))).toEqual([
      ["muster.task", 0, 9, "failed"],
      ["muster.submit", 0, 0],
      ["muster.wait", 0, 9],
    ]);
    const open = { state: "queued", endedAt: null } as const;
    expect(shown(taskSpans(aRun({}, open)))).toContainEqual(["muster.wait", 0, null]);
    const running = [anAttempt(1, { startedAt: T + SECOND, state: "running" })];
    expect(shown(taskSpans(aRun({ attempts: running }, open)))).toEqual([
      ["muster.task", 0, null],
      ["muster.submit", 0, 0],
      ["muster.wait", 0, 1],
      ["muster.attempt", 1, null],
    ]);
  });

  test("TR10 an attempt that was resumed covers the one that followed it: the task was not in the queue", () => {
    const attempts = [
      anAttempt(1, { startedAt: T, endedAt: T + 10 * SECOND }),
      anAttempt(2, { startedAt: T + 4 * SECOND, endedAt: T + 5 * SECOND, state: "unanswered" }),
    ];
    expect(shown(taskSpans(aRun({ attempts })))).toEqual([
      ["muster.task", 0, 10],
      ["muster.submit", 0, 0],
      ["muster.wait", 0, 0],
      ["muster.attempt", 0, 10],
      ["muster.attempt", 4, 5],
    ]);
  });

  test("TR10 after a retry they begin with the retry, and have other IDs than those of before", () => {
    const before = taskSpans(aRun({ attempts: TWO_ATTEMPTS }, { state: "failed" }));
    const again = anAttempt(3, {
      startedAt: T + 30 * SECOND,
      endedAt: T + 31 * SECOND,
      retries: 1,
    });
    const retried = { retries: 1, retriedAt: T + 20 * SECOND, endedAt: T + 31 * SECOND };
    const after = taskSpans(aRun({ attempts: [...TWO_ATTEMPTS, again] }, retried));
    expect(shown(after)).toEqual([
      ["muster.task", 20, 31],
      ["muster.retry", 20, 20],
      ["muster.wait", 20, 30],
      ["muster.attempt", 30, 31],
    ]);
    const ids = [...before, ...after].map(({ spanId }) => spanId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("TR10 have the upload of a large result below its attempt", () => {
    const upload = { begunAt: T + 8 * SECOND, bytes: 1_000_000 };
    const spans = taskSpans(aRun({ attempts: TWO_ATTEMPTS, upload }));
    const uploaded = spans.find(({ name }) => name === "muster.upload");
    expect(shown(spans)).toContainEqual(["muster.upload", 8, 10]);
    expect(uploaded?.parentId).toBe(
      spans.findLast(({ name }) => name === "muster.attempt")?.spanId,
    );
    expect(uploaded?.attributes).toMatchObject({ "muster.result.bytes": 1_000_000 });
  });

  test("TR10 have the callback and each attempt at it, which name the receiver's host and nothing else of its URL", () => {
    const callback = {
      taskId: "t",
      owner: "admin",
      url: "https://receiver.example/secret?key=secret",
      origin: "https://receiver.example",
      sealedSecret: "secret",
      state: "delivered",
      dueAt: null,
      attempts: [
        { at: T + 11 * SECOND, endedAt: T + 12 * SECOND, status: 503, error: "a secret" },
        { at: T + 20 * SECOND, endedAt: null, status: null, error: null },
        { at: T + 50 * SECOND, endedAt: T + 51 * SECOND, status: 204, error: null },
      ],
    } as const;
    const spans = callbackSpans(aRun({ callback }));
    expect(shown(spans)).toEqual([
      ["muster.callback", 10, 51],
      ["muster.callback.attempt", 11, 12, "failed"],
      ["muster.callback.attempt", 20, 20],
      ["muster.callback.attempt", 50, 51],
    ]);
    expect(JSON.stringify(spans)).not.toContain("secret");
    expect(spans[0]?.parentId).toBe(taskSpans(aRun())[0]?.spanId);
    expect(callbackSpans(aRun({ callback: { ...callback, attempts: [] } }))).toEqual([]);
  });

  test("TR11 have no payload, no result and no error text", () => {
    const task = { message: "a secret", error: "a secret" };
    const run = aRun({ attempts: TWO_ATTEMPTS }, task);
    expect(JSON.stringify(taskSpans(run))).not.toContain("secret");
  });

  test("TR12 have IDs that follow from the task and the fence", () => {
    const [one, other] = [
      taskSpans(aRun({ attempts: TWO_ATTEMPTS })),
      taskSpans(aRun({ attempts: TWO_ATTEMPTS })),
    ];
    expect(one).toEqual(other);
    for (const { spanId } of one) expect(spanId).toMatch(/^(?!0{16})[\da-f]{16}$/);
    expect(one[3]?.spanId).toBe(spanIdOf(aRun().task.id, PLACES.attempt(1)));
  });

  test("TR10 are bounded: of very many attempts the newest have spans", () => {
    const attempts = Array.from({ length: 500 }, (_, n) =>
      anAttempt(n + 1, { startedAt: T + n * 10, endedAt: T + n * 10 + 5, state: "lost" }),
    );
    const spans = taskSpans(aRun({ attempts }));
    expect(spans.length).toBeLessThan(300);
    expect(spans.at(-2)?.attributes).toMatchObject({ "muster.attempt.fence": 500 });
  });
});

describe("sampling", () => {
  const tracing = (sample: number) => ({ tracing: { sample, meshName: "m", meshId: "i" } });
  const task = (flags: string | null) => ({
    id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    trace:
      flags === null
        ? null
        : { traceparent: `00-${TRACE_ID}-${CALLER}-${flags}`, tracestate: null },
  });

  test("TR13 the caller's flag decides, whatever the share is; without a caller's trace the share does", () => {
    for (const sample of [0, 0.5, 1]) {
      expect(isSampled(tracing(sample), task("01"))).toBe(true);
      expect(isSampled(tracing(sample), task("03"))).toBe(true);
      expect(isSampled(tracing(sample), task("00"))).toBe(false);
      expect(isSampled(tracing(sample), task("02"))).toBe(false);
    }
    expect(isSampled(tracing(1), task(null))).toBe(true);
    expect(isSampled(tracing(0), task(null))).toBe(false);
    expect(isSampled({ tracing: null }, task("01"))).toBe(false);
  });

  test("TR13 of random trace IDs about the share is sampled, and each that a smaller share samples", () => {
    const random = seededRandom(5);
    const ids = Array.from({ length: 4_000 }, () => toHex(random(16)));
    const tenth = ids.filter((id) => isInShare(id, 0.1));
    expect(tenth.length / ids.length).toBeGreaterThan(0.07);
    expect(tenth.length / ids.length).toBeLessThan(0.13);
    expect(tenth.every((id) => isInShare(id, 0.2))).toBe(true);
    expect(ids.every((id) => isInShare(id, 1))).toBe(true);
    expect(isInShare("f".repeat(32), 0)).toBe(false);
  });

  test("TR14 what is handed on names the mesh's span if that is sent, and else comes through unchanged", () => {
    const place = PLACES.attempt(7);
    const spanId = spanIdOf(task(null).id, place);
    expect(traceBelow(tracing(0), task("03"), place)).toEqual({
      traceparent: `00-${TRACE_ID}-${spanId}-03`,
    });
    expect(traceBelow(tracing(1), task("00"), place)).toEqual({
      traceparent: `00-${TRACE_ID}-${CALLER}-00`,
    });
    expect(traceBelow({ tracing: null }, task("01"), place)).toEqual({
      traceparent: `00-${TRACE_ID}-${CALLER}-01`,
    });
    expect(traceBelow(tracing(1), task(null), place)).toEqual({
      traceparent: `00-3f2504e04f8941d39a0c0305e82c3301-${spanId}-01`,
    });
    expect(traceBelow(tracing(0), task(null), place)).toEqual({});
    expect(traceBelow({ tracing: null }, task(null), place)).toEqual({});
  });
});
