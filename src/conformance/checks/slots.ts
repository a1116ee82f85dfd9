/** How much a peer takes on: slots, prefetch, and the drain. */
import { check, type Bench, type Check } from "../check.ts";
import { expect, NotApplicable, pause } from "../failure.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { ReadMessage } from "../session/read-message.ts";
import { parseJson } from "../../base/json.ts";
import { join, welcomeNext } from "../steps/join.ts";
import { begun, decided, ended, isAbout, offer, works, type Offer } from "../steps/offers.ts";

const SECTION = "protocol.md#offers";

/** The most attempts that were begun at the same time, by the peer's own messages. */
function mostAtOnce({ messages }: MeshSession): number {
  const running = new Set<string>();
  let most = 0;
  for (const { type, payload } of messages) {
    const attempt = `${String(payload["task_id"])} ${String(payload["fence"])}`;
    if (type === "task_accept" && payload["queued"] !== true) running.add(attempt);
    if (["task_result", "task_release", "task_refuse"].includes(type)) running.delete(attempt);
    most = Math.max(most, running.size);
  }
  return most;
}

/** A peer with one slot that runs an attempt and has accepted a second one that waits. */
async function prefetching(bench: Bench, seconds: number) {
  const session = await join(bench, { slots: 1 });
  const hello = parseJson(session.helloText) as { readonly prefetch?: unknown } | undefined;
  if (hello?.prefetch !== true) throw new NotApplicable("the hello does not say `prefetch: true`");
  const running = offer(session, "slow", { seconds });
  await begun(session, running);
  const waiting = offer(session, "echo", "next");
  const { payload, text } = await decided(session, waiting);
  expect(payload["queued"] === true, "task_accept with queued: true", text);
  return { session, running, waiting };
}

const isReleaseOf = (message: ReadMessage, of: Offer): boolean =>
  message.type === "task_release" && isAbout(message, of);

export const SLOT_CHECKS: readonly Check[] = [
  check("WS01", SECTION, "The peer never runs more attempts at once than it has slots.", {
    seconds: 4,
    run: async (bench) => {
      const session = await join(bench, { slots: 2 });
      const offers = Array.from({ length: 6 }, () => offer(session, "slow", { seconds: 1 }));
      for (const each of offers) await decided(session, each);
      await pause(2_500);
      const most = mostAtOnce(session);
      expect(most === 2, "two attempts at once", `${most} attempts at once`);
    },
  }),
  check(
    "WS02",
    SECTION,
    "Of offers beyond its slots the peer holds back one at most, as queued; the rest it refuses.",
    {
      seconds: 3,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        const offers = Array.from({ length: 4 }, () => offer(session, "slow", { seconds: 2 }));
        const decisions: string[] = [];
        for (const each of offers) {
          const { type, payload } = await decided(session, each);
          decisions.push(payload["queued"] === true ? "queued" : type);
        }
        const count = (word: string): number => decisions.filter((each) => each === word).length;
        const isRight = count("task_accept") === 1 && count("queued") <= 1;
        expect(isRight, "one task_accept, one queued at most, refusals", decisions.join(", "));
      },
    },
  ),
  check("WS03", SECTION, "A queued attempt is accepted anew when it begins, and then ends.", {
    subset: "full",
    seconds: 4,
    run: async (bench) => {
      const { session, running, waiting } = await prefetching(bench, 1);
      await ended(session, running);
      await begun(session, waiting);
      await ended(session, waiting);
    },
  }),
  check("WS04", SECTION, "A queued attempt that the mesh asks back is released as not begun.", {
    subset: "full",
    seconds: 3,
    run: async (bench) => {
      const { session, waiting } = await prefetching(bench, 3);
      session.send("task_return", { task_id: waiting.taskId, fence: waiting.fence });
      const { payload, text } = await session.expect(
        "task_release",
        (message) => isReleaseOf(message, waiting) && message,
      );
      expect(payload["begun"] === false, "begun: false", text);
    },
  }),
  check("WS05", SECTION, "An attempt that has begun is not given back when the mesh asks for it.", {
    subset: "full",
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench, { slots: 1 });
      const of = offer(session, "slow", { seconds: 1 });
      await begun(session, of);
      session.send("task_return", { task_id: of.taskId, fence: of.fence });
      const { payload, text } = await ended(session, of);
      expect(payload["ok"] === true, "the result of the attempt", text);
    },
  }),
  check("WS06", SECTION, "A queued attempt that is canceled is not begun.", {
    subset: "full",
    seconds: 4,
    run: async (bench) => {
      const { session, running, waiting } = await prefetching(bench, 1);
      const { taskId, fence } = waiting;
      session.send("task_cancel", { task_id: taskId, fence, reason: "canceled" });
      await ended(session, running);
      const isBegun = (message: ReadMessage): boolean =>
        isAbout(message, waiting) && ["task_accept", "task_result"].includes(message.type);
      await session.never("the canceled attempt is not begun", isBegun, 1_000);
      await works(session);
    },
  }),
  check(
    "DN01",
    "protocol.md#drain-and-cordon",
    "A peer that is told to drain finishes what it runs, takes nothing new, and leaves.",
    {
      subset: "full",
      seconds: 5,
      run: async (bench) => {
        const session = await join(bench, { slots: 2 });
        const running = offer(session, "slow", { seconds: 1.5 });
        await begun(session, running);
        session.send("drain", { reason: "maintenance", timeout_seconds: 30 });
        await pause(300);
        const late = offer(session, "echo", "late");
        const { payload, text } = await ended(session, running);
        expect(payload["ok"] === true, "the result of what it ran", text);
        const isLate = (message: ReadMessage): boolean =>
          isAbout(message, late) && ["task_accept", "task_result"].includes(message.type);
        await session.never("nothing is accepted while the peer drains", isLate, 100);
        await session.socket.endsWithin("the peer leaves", 8_000);
      },
    },
  ),
  check(
    "DN02",
    "protocol.md#drain-and-cordon",
    "The time limit of a drain holds: what still runs then is given up.",
    {
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        await begun(session, offer(session, "slow", { seconds: 60 }));
        session.send("drain", { reason: "maintenance", timeout_seconds: 1 });
        await session.socket.endsWithin("the peer leaves", 8_000);
      },
    },
  ),
  check(
    "DN03",
    "protocol.md#drain-and-cordon",
    "A peer that was drained by the mesh does not come back.",
    {
      subset: "full",
      seconds: 5,
      run: async (bench) => {
        const session = await join(bench);
        session.send("drain", { reason: "maintenance", timeout_seconds: 5 });
        await session.socket.endsWithin("the peer leaves", 8_000);
        await bench.mesh.noDial("no dial after the drain", 3_000);
      },
    },
  ),
  check(
    "DN04",
    "protocol.md#drain-and-cordon",
    "At SIGTERM the program finishes what it runs, sends the result, and ends with exit code 0.",
    {
      level: "should",
      subset: "full",
      seconds: 5,
      run: async (bench) => {
        const program = await bench.start();
        const session = await welcomeNext(bench);
        const of = offer(session, "slow", { seconds: 1.5 });
        await begun(session, of);
        program.terminate();
        const { payload, text } = await ended(session, of);
        expect(payload["ok"] === true, "the result of what it ran", text);
        await session.socket.endsWithin("the peer leaves", 8_000);
        const end = await Promise.race([program.ended, pause(5_000)]);
        const seen = end === undefined ? "it still runs" : `${end.code ?? end.signal}`;
        expect(end !== undefined && end.code === 0, "exit code 0", seen);
      },
    },
  ),
];
