import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NULL_JSON } from "../../src/base/json-text/json-text.ts";
import { BatchSender } from "../../durable/batch-sender.ts";
import { EventQueue } from "../../durable/event-queue.ts";
import { sendMerged } from "../../durable/merge-commands.ts";
import type { SessionAnswer, SessionCommand } from "../../src/contract/commands.ts";
import {
  FRAME_QUEUE_BYTES_MAX,
  FRAME_QUEUE_MAX,
  STEPPED_BYTES_MAX,
  STEPPED_MAX,
} from "../../src/protocol/constants.ts";
import { SCALE } from "./arbitraries.ts";

const FROM = { peerId: "p", epoch: 1 };

const anyCommand: fc.Arbitrary<SessionCommand> = fc
  .record({
    what: fc.constantFrom("accept", "queue", "finish", "refuse"),
    taskId: fc.constantFrom("a", "b", "c"),
    fence: fc.constantFrom(1, 2),
    at: fc.nat(100),
  })
  .map(({ what, taskId, fence, at }): SessionCommand => {
    const attempt = { ...FROM, taskId, fence };
    if (what === "refuse") return { name: "refuse_task", input: { ...attempt, reason: "" } };
    if (what === "finish") {
      const outcome = { task_id: taskId, fence, ok: true, result: NULL_JSON } as const;
      return { name: "finish_task", input: { ...FROM, outcome } };
    }
    return { name: "accept_task", input: { ...attempt, queued: what === "queue", at } };
  });

const attemptOf = ({ name, input }: SessionCommand): string =>
  name === "finish_task"
    ? `${input.outcome.task_id} ${input.outcome.fence}`
    : "taskId" in input
      ? `${input.taskId} ${input.fence}`
      : "";

describe("the commands of one call", () => {
  test("AS59 an acceptance is left out only beside the result of its attempt, and every answer belongs to its command", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { maxLength: 8 }), async (commands) => {
        let sent: readonly SessionCommand[] = [];
        const answers = await sendMerged(commands, async (them) => {
          sent = them;
          return them.map(
            (command) => ({ ...command, result: { ok: true, value: {} } }) as SessionAnswer,
          );
        });
        expect(answers).toHaveLength(commands.length);
        const finished = commands.filter(({ name }) => name === "finish_task").map(attemptOf);
        commands.forEach((command, index) => {
          const answer = answers[index];
          const isMerged = command.name === "accept_task" && finished.includes(attemptOf(command));
          if (isMerged) return expect(answer).toBeNull();
          expect([answer?.name, attemptOf(answer as SessionCommand)]).toEqual([
            command.name,
            attemptOf(command),
          ]);
        });
        expect(sent).toHaveLength(answers.filter((answer) => answer !== null).length);
        for (const command of sent) {
          if (command.name !== "finish_task") continue;
          const begun = commands.findLast(
            (one) =>
              one.name === "accept_task" &&
              one.input.queued !== true &&
              attemptOf(one) === attemptOf(command),
          );
          const at = begun?.name === "accept_task" ? begun.input.at : undefined;
          expect(command.input.begunAt).toBe(at);
        }
      }),
      { numRuns: 300 * SCALE },
    );
  });
});

/** Some items count for several. */
const weightOf = (item: string): number => (item.startsWith("9") ? 3 : 1);

describe("calls to one receiver", () => {
  test("HS23 one is under way at most; nothing is lost or repeated; urgent items go first, all others in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(9), { maxLength: 6 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.func(fc.boolean()),
        async (waves, max, fails) => {
          let underWay = 0;
          const calls: string[][] = [];
          const sender = new BatchSender<string, string>(
            { max, weightOf, isUrgent: (item) => item.startsWith("0") },
            async (items) => {
              expect(++underWay).toBe(1);
              await Promise.resolve();
              underWay--;
              calls.push([...items]);
              if (fails(calls.length)) throw new Error("no answer");
              return items.map((item) => `answer ${item}`);
            },
          );
          const sent: string[] = [];
          const outcomes: Promise<string>[] = [];
          for (const wave of waves) {
            for (const kind of wave) {
              const item = `${kind} ${sent.length}`;
              sent.push(item);
              outcomes.push(sender.send(item).catch(() => `failed ${item}`));
            }
            await Promise.resolve();
          }
          const settled = await Promise.all(outcomes);
          const failed = new Set(calls.filter((_, index) => fails(index + 1)).flat());
          expect(settled).toEqual(
            sent.map((item) => (failed.has(item) ? `failed ${item}` : `answer ${item}`)),
          );
          const all = calls.flat();
          expect(all.toSorted()).toEqual(sent.toSorted());
          for (const items of calls) {
            const weight = items.reduce((sum, item) => sum + weightOf(item), 0);
            expect(weight <= max || items.length === 1, `${items.join()} in one call`).toBe(true);
          }
          for (const urgent of [true, false]) {
            const of = (items: readonly string[]) =>
              items.filter((one) => one.startsWith("0") === urgent);
            expect(of(all)).toEqual(of(sent));
          }
          expect(sender.isIdle).toBe(true);
        },
      ),
      { numRuns: 200 * SCALE },
    );
  });
});

const CLOSED = { type: "closed", reason: "", silent: false } as const;

describe("the events of one socket", () => {
  test("HS22 are bounded in number and bytes until they are done, and wait while too many are stepped and unanswered", async () => {
    const queue = new EventQueue();
    const done: Promise<void>[] = [];
    for (let n = 0; n < FRAME_QUEUE_MAX; n++) {
      expect(queue.isFullFor(1)).toBe(false);
      done.push(queue.add(CLOSED, 1));
    }
    expect(queue.isFullFor(1)).toBe(true);
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    const settled: Promise<void>[] = [];
    while (!queue.isAwaitingAnswers) {
      const next = queue.take();
      if (next !== undefined) settled.push(queue.settle(next, answered));
    }
    expect(settled).toHaveLength(STEPPED_MAX);
    expect(queue.isFullFor(1)).toBe(true);
    resolve();
    await Promise.all(settled);
    expect([queue.isAwaitingAnswers, queue.isFullFor(1)]).toEqual([false, false]);
    await Promise.all(done.slice(0, STEPPED_MAX));
  });

  test("HS22 count their bytes, and a failed one is done, too", async () => {
    const queue = new EventQueue();
    expect(queue.isFullFor(FRAME_QUEUE_BYTES_MAX + 1)).toBe(true);
    const done = queue.add(CLOSED, STEPPED_BYTES_MAX);
    expect(queue.isFullFor(FRAME_QUEUE_BYTES_MAX - STEPPED_BYTES_MAX + 1)).toBe(true);
    const next = queue.take();
    expect(queue.isAwaitingAnswers).toBe(true);
    if (next !== undefined) await queue.settle(next, Promise.reject(new Error("a defect")));
    await expect(done).rejects.toThrow("a defect");
    expect(queue.isFullFor(FRAME_QUEUE_BYTES_MAX)).toBe(false);
    expect(queue.take()).toBeUndefined();
  });
});
