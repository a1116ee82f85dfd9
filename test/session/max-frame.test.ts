import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { toBase64, utf8 } from "../../src/base/bytes.ts";
import { exactJson, exactJsonOf, NULL_JSON } from "../../src/base/json-text/json-text.ts";
import { err, ok } from "../../src/base/result.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { MAX_FRAME_LEAST } from "../../src/protocol/max-frame.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import type { SessionEvent } from "../../src/session/effects.ts";
import type { Session } from "../../src/session/state.ts";
import { step } from "../../src/session/step.ts";
import { must, present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { aTaskView } from "../task-view.ts";
import { SCALE } from "./arbitraries.ts";
import {
  after,
  anyMaxFrame,
  anyText,
  anyValue,
  framesOf,
  NOW,
  read,
  sessionOf,
} from "./limited-frames.ts";
import { admissionAnswered, answerTo, at, closes, GRANTED, PEER, proved } from "./driver.ts";

vi.setConfig({ testTimeout: 60_000 * Math.max(1, SCALE) });

const ID = "00000000-0000-4000-8000-000000000001";
const TICKET = `${PEER.id}.${"ab".repeat(32)}`;

const anOffer = (payload: string, more: Partial<TaskOffer> = {}): TaskOffer => ({
  task_id: ID,
  fence: 7,
  kind: "work",
  payload: exactJson(payload),
  attempt: 1,
  lease_seconds: 60,
  upload: TICKET,
  ...more,
});

describe("the offer of a task to a peer that has set a limit for frames", () => {
  test("NX11 NX12 fits, and holds the payload or its length and digest", () => {
    fc.assert(
      fc.property(anyMaxFrame, anyValue, fc.boolean(), (maxFrame, payload, isLong) => {
        const tracestate = `a=${"x".repeat(510)}`;
        const more = isLong
          ? { kind: "k".repeat(64), seal_to: "ab".repeat(32), tracestate, fence: 1e14 }
          : {};
        const { effects, session } = after(maxFrame, {
          type: "offer",
          offer: anOffer(payload, more),
        });
        const offer = present(read(effects, maxFrame).find(({ type }) => type === "task_offer"));
        const {
          payload: inline,
          payload_ref: ref,
          ...rest
        } = offer.payload as unknown as TaskOffer;
        const bytes = utf8(payload);
        if (ref === undefined) expect(inline).toEqual(JSON.parse(payload));
        else {
          expect(inline).toBeUndefined();
          expect(ref).toEqual({ bytes: bytes.length, sha256: toBase64(sha256(bytes)) });
          expect(bytes.length).toBeGreaterThan(maxFrame - 2_048);
        }
        const { payload: _, ...offered } = anOffer(payload, more);
        expect(rest).toEqual(offered);
        expect(session).toMatchObject({ state: "active", channel: { maxFrame } });
      }),
      { numRuns: 60 * SCALE },
    );
  });

  test("NX12 refers to a payload only if it does not fit: one byte decides", () => {
    const sizes = [0, 1].map((more) => {
      const offered = (length: number) =>
        after(MAX_FRAME_LEAST, { type: "offer", offer: anOffer(`"${"x".repeat(length)}"`) });
      const [frame] = framesOf(offered(0).effects);
      const room = MAX_FRAME_LEAST - present(frame).length;
      return read(offered(room + more).effects, MAX_FRAME_LEAST)[0]
        ?.payload as unknown as TaskOffer;
    });
    expect(sizes.map(({ payload_ref: ref }) => ref === undefined)).toEqual([true, false]);
  });

  test("NX11 holds the payload of a peer that has set none, up to 1 MiB", () => {
    const payload = JSON.stringify("x".repeat(1_000_000));
    const { effects } = after(undefined, { type: "offer", offer: anOffer(payload) });
    const [offer] = read(effects, FRAME_BYTES_MAX);
    expect(offer?.payload).toMatchObject({ payload: "x".repeat(1_000_000) });
  });
});

const anyAttemptView = fc.record({ error: fc.option(anyText(2_000)), count: fc.nat(20) });
const anyTask = fc.record({
  payload: anyValue,
  result: anyValue,
  succeeded: fc.boolean(),
  error: anyText(2_000),
  message: anyText(500),
  attempts: anyAttemptView,
  hasAll: fc.boolean(),
});

/** A task with every field at its limit. */
const LONG: Partial<TaskView> = {
  kind: "k".repeat(64),
  owner: PEER.id,
  traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  tracestate: `a=${"x".repeat(510)}`,
  requirements: {
    capabilities: Array.from({ length: 32 }, () => `${"c".repeat(64)}=${"d".repeat(63)}`),
    avoid: Array.from({ length: 32 }, () => PEER.id),
  },
  concurrency: { key: "\u0001".repeat(128), limit: 9 },
  callback: {
    url: `https://a.example/${"x".repeat(2_000)}`,
    state: "pending",
    next_at: "2026-01-02T03:04:05.000Z",
    attempts: Array.from({ length: 12 }, () => ({
      at: "2026-01-02T03:04:05.000Z",
      ended_at: null,
      status: 500,
      error: "\u0001".repeat(500),
    })),
  },
};

function shownTask(of: typeof anyTask extends fc.Arbitrary<infer T> ? T : never): TaskView {
  const { payload, result, succeeded, error, message, attempts, hasAll } = of;
  return aTaskView({
    id: ID,
    ...(hasAll && LONG),
    state: succeeded ? "succeeded" : "failed",
    payload: exactJson(payload),
    result: succeeded ? exactJson(result) : NULL_JSON,
    error: succeeded ? null : error,
    message,
    attempts: Array.from({ length: attempts.count }, () => ({
      attempt: 1,
      peer_id: PEER.id,
      peer_name: "n".repeat(64),
      score: 0.123456789012345,
      state: "failed" as const,
      started_at: "2026-01-02T03:04:05.000Z",
      ended_at: null,
      error: attempts.error,
    })),
  });
}

const SMALL = {
  payload: "1",
  result: "1",
  succeeded: false,
  error: "",
  message: "",
  hasAll: false,
};

describe("a task that is shown to a peer that has set a limit for frames", () => {
  test("NX11 NX13 fits, and says what it leaves out; the result is there, or can be fetched", () => {
    fc.assert(
      fc.property(anyMaxFrame, anyTask, fc.boolean(), (maxFrame, of, isReply) => {
        const task = shownTask(of);
        const shown = { task, ...(of.succeeded && { ticket: TICKET }) };
        const input = { peerId: PEER.id, epoch: 3, id: ID };
        const event: SessionEvent = isReply
          ? answerTo("query_task", input, ok(shown), ID)
          : { type: "report", shown };
        const [message] = read(after(maxFrame, event).effects, maxFrame);
        const seen = present(message).payload as unknown as {
          task: TaskView;
          ticket?: string;
          omitted?: (keyof TaskView)[];
        };
        const omitted = seen.omitted ?? [];
        for (const field of ["payload", "attempts", "callback", "requirements", "error"] as const) {
          const given = field === "payload" ? JSON.parse(of.payload) : task[field];
          if (omitted.includes(field)) expect(seen.task[field]).not.toEqual(given);
          else expect(seen.task[field]).toEqual(given);
        }
        const isInline = seen.task.result_url === null;
        if (isInline) expect(seen.task.result).toEqual(of.succeeded ? JSON.parse(of.result) : null);
        else {
          const bytes = utf8(of.result);
          expect(seen.task).toMatchObject({
            result: null,
            result_bytes: bytes.length,
            result_sha256: toBase64(sha256(bytes)),
          });
        }
        expect(seen.ticket).toBe(isInline ? undefined : TICKET);
      }),
      { numRuns: 100 * SCALE },
    );
  });

  test("NX13 leaves out its largest part and nothing else if that is enough", () => {
    const small = JSON.stringify("y".repeat(1_000));
    const large = JSON.stringify("x".repeat(20_000));
    const shownWith = (payload: string, result: string) => {
      const task = aTaskView({
        id: ID,
        state: "succeeded",
        payload: exactJson(payload),
        result: exactJson(result),
      });
      const event: SessionEvent = { type: "report", shown: { task, ticket: TICKET } };
      return read(after(10_000, event).effects, 10_000)[0]?.payload;
    };
    expect(shownWith(large, small)).toMatchObject({
      task: { payload: null, result: "y".repeat(1_000), result_url: null },
      omitted: ["payload"],
    });
    const fetched = shownWith(small, large);
    expect(fetched).toMatchObject({
      task: { payload: "y".repeat(1_000), result: null, result_bytes: 20_002 },
      ticket: TICKET,
    });
    expect(fetched).not.toHaveProperty("omitted");
  });

  test("NX13 does not say that it leaves out an error that is too short to be cut", () => {
    const [error, message] = ["\u0001".repeat(480), "\u0001".repeat(470)];
    const { attempts } = shownTask({ ...SMALL, attempts: { error: null, count: 10 } });
    const task = aTaskView({ id: ID, state: "failed", error, message, attempts });
    const { effects } = after(MAX_FRAME_LEAST, { type: "report", shown: { task } });
    expect(read(effects, MAX_FRAME_LEAST)[0]?.payload).toMatchObject({
      task: { error, attempts },
      omitted: ["message"],
    });
  });

  test("NX13 a sealed result is fetched as the container that it is", () => {
    const container = seededRandom(5)(30_000);
    const task = aTaskView({
      id: ID,
      state: "succeeded",
      result: exactJsonOf(toBase64(container)),
      result_sealed: true,
    });
    const { effects } = after(10_000, { type: "report", shown: { task, ticket: TICKET } });
    expect(read(effects, 10_000)[0]?.payload).toMatchObject({
      task: {
        result: null,
        result_sealed: true,
        result_bytes: container.length,
        result_sha256: toBase64(sha256(container)),
      },
    });
  });

  test("NX13 a task that fits is shown whole, without the secret for its result", () => {
    const task = aTaskView({ id: ID, state: "succeeded", result: exactJsonOf("short") });
    for (const maxFrame of [undefined, MAX_FRAME_LEAST]) {
      const { effects } = after(maxFrame, { type: "report", shown: { task, ticket: TICKET } });
      const [message] = read(effects, MAX_FRAME_LEAST);
      expect(message?.payload).toMatchObject({ task: { result: "short", result_url: null } });
      expect(Object.keys(message?.payload as object)).toEqual(["task"]);
    }
  });
});

describe("a request of an HTTP caller to a peer that has set a limit for frames", () => {
  const calling = (payload: string): SessionEvent => ({
    type: "call",
    id: ID,
    request: "get_logs",
    payload: exactJson(payload),
  });

  test("NX14 is refused if it does not fit, and the session goes on", () => {
    const large = JSON.stringify("x".repeat(MAX_FRAME_LEAST));
    const { session, effects } = after(MAX_FRAME_LEAST, calling(large));
    expect(effects).toEqual([{ type: "call_too_large", callId: ID }]);
    expect(session).toMatchObject({ state: "active", relayedRequests: [] });
    const sent = step(session, calling('"short"'), at(NOW));
    expect(read(sent.effects, MAX_FRAME_LEAST)).toMatchObject([
      { id: ID, type: "get_logs", payload: "short" },
    ]);
  });

  test("NX14 of any size fits, or is refused", () => {
    fc.assert(
      fc.property(anyMaxFrame, anyValue, (maxFrame, payload) => {
        const { effects } = after(maxFrame, calling(payload));
        const sent = read(effects, maxFrame);
        if (effects.some(({ type }) => type === "call_too_large")) expect(sent).toEqual([]);
        else expect(sent[0]?.payload).toEqual(JSON.parse(payload));
      }),
      { numRuns: 40 * SCALE },
    );
  });
});

const ATTEMPT = { peerId: PEER.id, epoch: 3, taskId: ID, fence: 1 };
/** Everything else that can lead to a message with text of somebody's. */
const TEXTS: Readonly<Record<string, (text: string) => SessionEvent>> = {
  "a cancellation": (reason) => ({ type: "cancel", taskId: ID, fence: 1, reason }),
  "an order to drain": (reason) => ({
    type: "drain",
    order: { reason, timeoutMs: 1_000 },
  }),
  "the end of a session": (detail) => ({ type: "end", fault: { code: "mesh_restarting", detail } }),
  "a refused answer": (detail) =>
    answerTo("accept_task", ATTEMPT, err({ code: "conflict", detail }), ID),
  "a lost lease": (detail) =>
    answerTo("accept_task", ATTEMPT, err({ code: "lease_lost", detail }), ID),
};

describe("a message with a long text to a peer that has set a limit for frames", () => {
  test.for(Object.keys(TEXTS))("NX15 fits, with the text cut: %s", (name) => {
    const eventOf = present(TEXTS[name]);
    for (const character of ["x", "\u0001", "€", "😀"])
      for (const length of [0, 500, 2_000, 100_000]) {
        const text = character.repeat(length);
        const { effects } = after(MAX_FRAME_LEAST, eventOf(text));
        const sent = read(effects, MAX_FRAME_LEAST);
        expect(sent.length).toBeGreaterThan(0);
        for (const { payload } of sent) {
          const { reason = "", message = reason } = payload as {
            reason?: string;
            message?: string;
          };
          expect(text.startsWith(message.replace(/…$/, "").replace(/\ufffd$/, ""))).toBe(true);
          expect(message.length).toBeGreaterThanOrEqual(Math.min(text.length, 499));
        }
      }
  });

  test("NX15 a rejection tells why, and the socket closes", () => {
    const admitting = { ...proved(), channel: sessionOf(MAX_FRAME_LEAST).channel } as Session;
    const refused = err({ code: "not_allowed", detail: "\u0001".repeat(50_000) } as const);
    const { effects } = step(admitting, admissionAnswered(refused), at(NOW));
    expect(read(effects, MAX_FRAME_LEAST)).toMatchObject([{ type: "rejection" }]);
    expect(closes(effects)).toEqual([4403]);
  });

  test("NX11 the longest welcome fits the least limit", () => {
    const admitting = { ...proved(), channel: sessionOf(MAX_FRAME_LEAST).channel } as Session;
    const epoch = {
      epoch: 9_007_199_254_740_991,
      private_key: "ab".repeat(32),
      pointer_secret: "ab".repeat(32),
      expires_at: "2026-01-02T03:04:05.000Z",
    };
    const discovery = {
      signing_key: "ab".repeat(32),
      epochs: Array.from({ length: 16 }, () => epoch),
    };
    const context = {
      ...at(NOW),
      mesh: { ...at(NOW).mesh, name: "n".repeat(64) },
      nextMeshKey: PEER.publicKey,
    };
    const admitted = admissionAnswered(ok({ ...must(GRANTED), discovery }));
    const { effects } = step(admitting, admitted, context);
    expect(read(effects, MAX_FRAME_LEAST)).toMatchObject([
      { type: "welcome", payload: { discovery, max_frame: MAX_FRAME_LEAST } },
    ]);
  });

  test("NX11 a message keeps its counter: the frames of a session open one after another", () => {
    const first = after(MAX_FRAME_LEAST, {
      type: "offer",
      offer: anOffer(`"${"x".repeat(9_000)}"`),
    });
    const second = step(
      first.session,
      {
        type: "report",
        shown: {
          task: aTaskView({ id: ID, state: "queued", payload: exactJsonOf("x".repeat(9_000)) }),
        },
      },
      at(NOW),
    );
    const types = read([...first.effects, ...second.effects], MAX_FRAME_LEAST).map(
      ({ type }) => type,
    );
    expect(types).toEqual(["task_offer", "task_shown"]);
  });
});
