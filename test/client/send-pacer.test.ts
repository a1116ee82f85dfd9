import {
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
} from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  ANSWER_WINDOW_BYTES,
  ANSWER_WINDOW_FRAMES,
  PING_AFTER_FRAMES,
} from "../../src/client/connection/answer-window.ts";
import type { OutgoingMessage } from "../../src/client/connection/outgoing-message.ts";
import { SendPacer } from "../../src/client/connection/send-pacer.ts";
import { TASK_RESULT_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { MessageType } from "../../src/protocol/messages.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A pacer, and a mesh that takes frames only when the test says so. */
function paced(frameBytes = 100) {
  const emitted: OutgoingMessage[] = [];
  let made = 0;
  const newMessage = (type: MessageType, taskId = "t"): OutgoingMessage => ({
    id: `${type} ${made++}`,
    type,
    payload: { task_id: taskId },
    replyTo: undefined,
    onSent: undefined,
  });
  const pacer = new SendPacer({
    now: Date.now,
    emit: (message) => {
      emitted.push(message);
      return message.type === "ping" ? 80 : frameBytes;
    },
    newPing: () => newMessage("ping"),
  });
  const send = (type: MessageType, count = 1, taskId?: string): void => {
    for (let n = 0; n < count; n++) {
      const message = newMessage(type, taskId);
      pacer.offerReceived(message.payload);
      pacer.send(message);
    }
  };
  const typesSince = (index: number) => emitted.slice(index).map(({ type }) => type);
  const count = (type: MessageType) => emitted.filter((each) => each.type === type).length;
  return { pacer, emitted, send, typesSince, count };
}

/** Fills the window with results and lets one more wait. The pings of the window are under way. */
function filled() {
  const world = paced();
  world.send("task_result", ANSWER_WINDOW_FRAMES + 1);
  return world;
}
const pings = (world: ReturnType<typeof paced>) =>
  world.emitted.filter(({ type }) => type === "ping").map(({ id }) => id);

describe("messages that a peer sends unasked", () => {
  test("RL2 leave at 90 % of the allowance: 90 at once, then 45 a second", async () => {
    const world = paced();
    world.send("advert", 200);
    expect(world.emitted).toHaveLength(90);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.emitted.length).toBeGreaterThanOrEqual(134);
    expect(world.emitted.length).toBeLessThanOrEqual(135);
  });

  test("are refused when 2,048 of them wait, and answers are not", () => {
    const world = paced();
    world.send("advert", 90 + 2_048);
    world.pacer.offerReceived({});
    const message = { payload: {}, replyTo: undefined, onSent: undefined };
    expect(world.pacer.send({ ...message, id: "a", type: "advert" })).toBe(false);
    expect(world.pacer.send({ ...message, id: "b", type: "task_accept" })).toBe(true);
    expect(world.count("task_accept")).toBe(1);
  });
});

describe("answers to offers", () => {
  test("spend no allowance: with none left they still leave at once", () => {
    const world = paced();
    world.send("advert", 200);
    const before = world.emitted.length;
    world.send("task_accept", 5);
    world.send("task_result", 5);
    expect(world.typesSince(before)).toEqual([
      ...Array<string>(5).fill("task_accept"),
      ...Array<string>(5).fill("task_result"),
    ]);
  });

  test("spend allowance when they concern an attempt that was not offered in this session, or repeat an answer", () => {
    const { pacer, emitted } = paced();
    const answer = (type: MessageType, fence: number): void => {
      const payload = { task_id: "t", fence };
      const id = `message ${fence}`;
      pacer.send({ id, type, payload, replyTo: undefined, onSent: undefined });
    };
    for (let fence = 1; fence <= 200; fence++) answer("task_result", fence);
    expect(emitted).toHaveLength(90);
    pacer.offerReceived({ task_id: "t", fence: 300 });
    for (const type of ["task_accept", "task_accept", "task_result", "task_result"] as const)
      answer(type, 300);
    expect(emitted).toHaveLength(93);
  });

  test("cause no ping and no timer while they are few", async () => {
    const world = paced();
    world.send("task_result", PING_AFTER_FRAMES - 1);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(world.count("ping")).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("RL5 wait when the window is full, and a pong lets as many leave as were sent before its ping", () => {
    const world = filled();
    expect(world.count("task_result")).toBe(ANSWER_WINDOW_FRAMES);
    world.send("task_result", ANSWER_WINDOW_FRAMES);
    expect(world.count("task_result")).toBe(ANSWER_WINDOW_FRAMES);
    expect(world.pacer.pongReceived(pings(world)[0] ?? "")).toBe(true);
    expect(world.count("task_result")).toBe(ANSWER_WINDOW_FRAMES + PING_AFTER_FRAMES);
  });

  test("leave in the order accepts and refusals, progress, results, when the window opens", () => {
    const world = filled();
    const before = world.emitted.length;
    world.send("task_progress", 1, "p");
    world.send("task_result");
    world.send("task_refuse");
    world.send("task_accept");
    world.pacer.pongReceived(pings(world)[0] ?? "");
    expect(world.typesSince(before).filter((type) => type !== "ping")).toEqual([
      "task_refuse",
      "task_accept",
      "task_progress",
      "task_result",
      "task_result",
    ]);
  });

  test("of waiting progress only the newest of a task is sent, and none that an accept has replaced", () => {
    const world = filled();
    const before = world.emitted.length;
    world.send("task_progress", 3, "a");
    world.send("task_progress", 3, "b");
    world.send("task_accept", 1, "b");
    world.pacer.pongReceived(pings(world)[0] ?? "");
    const sent = world.emitted.slice(before).filter(({ type }) => type === "task_progress");
    expect(sent.map(({ payload }) => payload)).toEqual([{ task_id: "a" }]);
  });

  test("do not hold up other messages while the window is full", () => {
    const world = filled();
    world.send("disconnect");
    expect(world.emitted.at(-1)?.type).toBe("disconnect");
  });

  test("the window's ping goes before other messages when the allowance is used up", async () => {
    const world = paced();
    world.send("advert", 200);
    const before = world.emitted.length;
    world.send("task_result", PING_AFTER_FRAMES);
    await vi.advanceTimersByTimeAsync(100);
    const others = world.typesSince(before).filter((type) => type !== "task_result");
    expect(others.slice(0, 2)).toEqual(["ping", "advert"]);
  });

  test("a pong that answers no ping of the window changes nothing", () => {
    const world = filled();
    expect(world.pacer.pongReceived("another")).toBe(false);
    const [first = ""] = pings(world);
    expect(world.pacer.pongReceived(first)).toBe(true);
    expect(world.pacer.pongReceived(first)).toBe(false);
  });

  test("nothing is sent after the end, and no timer is left", async () => {
    const world = filled();
    world.send("advert", 200);
    const before = world.emitted.length;
    world.pacer.stop();
    world.pacer.pongReceived(pings(world)[0] ?? "");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(world.typesSince(before).filter((type) => type !== "ping")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("whatever the sizes and however late the pongs, the mesh's bounds are kept and everything is sent in the end", async () => {
  const steps = array(
    oneof(
      record({
        type: constantFrom("task_accept", "task_result", "task_refuse", "advert"),
        count: integer({ min: 1, max: 300 }),
        bytes: integer({ min: 50, max: 1.5 * TASK_RESULT_BYTES_MAX }),
      }),
      record({ type: constant("process"), frames: integer({ min: 1, max: 300 }) }),
      record({ type: constant("advance"), ms: integer({ min: 0, max: 1_000 }) }),
    ),
    { maxLength: 20 },
  );
  await assert(
    asyncProperty(steps, async (script) => {
      /** The mesh's queue of frames of the session. */
      const queue: { readonly id: string; readonly type: string; readonly bytes: number }[] = [];
      const sent = new Set<string>();
      const expected = new Set<string>();
      let made = 0;
      const sizes = new Map<string, number>();
      const pacer = new SendPacer({
        now: Date.now,
        newPing: () => ({
          id: `ping ${made++}`,
          type: "ping",
          payload: {},
          replyTo: undefined,
          onSent: undefined,
        }),
        emit: ({ id, type }) => {
          const bytes = sizes.get(id) ?? 80;
          queue.push({ id, type, bytes });
          sent.add(id);
          const answers = queue.filter((each) => each.type.startsWith("task_"));
          expect(answers.length).toBeLessThanOrEqual(ANSWER_WINDOW_FRAMES);
          const total = answers.reduce((sum, each) => sum + each.bytes, 0);
          expect(total).toBeLessThanOrEqual(ANSWER_WINDOW_BYTES);
          return bytes;
        },
      });
      const process = (frames: number): void => {
        for (const { id, type } of queue.splice(0, frames))
          if (type === "ping") pacer.pongReceived(id);
      };
      for (const step of script) {
        if ("frames" in step) process(step.frames);
        else if ("ms" in step) await vi.advanceTimersByTimeAsync(step.ms);
        else
          for (let n = 0; n < step.count; n++) {
            const id = `${step.type} ${made++}`;
            sizes.set(id, step.type === "task_result" ? step.bytes : 200);
            const message = { id, type: step.type as MessageType, payload: { task_id: id } };
            pacer.offerReceived(message.payload);
            if (pacer.send({ ...message, replyTo: undefined, onSent: undefined })) expected.add(id);
          }
      }
      for (let round = 0; round < 2_000 && ![...expected].every((id) => sent.has(id)); round++) {
        process(Number.POSITIVE_INFINITY);
        await vi.advanceTimersByTimeAsync(100);
      }
      expect([...expected].filter((id) => !sent.has(id))).toEqual([]);
      pacer.stop();
    }),
    { numRuns: 40 },
  );
});
