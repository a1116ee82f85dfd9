/** What a mesh does with the tasks of a peer. They need a token, by which the kit submits them. */
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { SECOND, type Millis } from "../../base/clock.ts";
import { expect, NotApplicable, pause } from "../failure.ts";
import type { MessageSession } from "../session/message-session.ts";
import { summaryOf, type ReadMessage } from "../session/read-message.ts";
import { HELLO, welcomed } from "./peer-session.ts";
import { serverCheck, type Operator, type ServerBench, type ServerCheck } from "./server-bench.ts";

const SECTION = "protocol.md#running-tasks";
const KIND = "conformance";

function operatorOf({ operator }: ServerBench): Operator {
  if (operator === null) throw new NotApplicable("no token is given, by which to submit tasks");
  return operator;
}

interface Offered {
  readonly task_id: string;
  readonly fence: number;
}

const offerOf = (session: MessageSession, taskId: string, within?: Millis): Promise<ReadMessage> =>
  session.expect(
    `task_offer of task ${taskId}`,
    (message) => message.type === "task_offer" && message.payload["task_id"] === taskId && message,
    within,
  );

const isOffer = ({ type }: ReadMessage): boolean => type === "task_offer";

const refOf = ({ payload }: ReadMessage): Offered => ({
  task_id: String(payload["task_id"]),
  fence: Number(payload["fence"]),
});

/** A peer to which a task was offered, that has accepted it. */
async function holding(bench: ServerBench) {
  const operator = operatorOf(bench);
  const keys = newKeyPair(bench.random);
  const session = await welcomed(bench, { keys });
  const taskId = await operator.submit(keys.id, KIND, { a: 1 });
  const offer = await offerOf(session, taskId);
  const ref = refOf(offer);
  session.send("task_accept", ref);
  return { operator, keys, session, taskId, offer, ref };
}

/** The task reaches this state. */
async function becomes(operator: Operator, taskId: string, state: string): Promise<unknown> {
  const until = Date.now() + 10 * SECOND;
  let task = await operator.task(taskId);
  while (task.state !== state && Date.now() < until) {
    await pause(200);
    task = await operator.task(taskId);
  }
  expect(task.state === state, `the task is ${state}`, `it is ${task.state}`);
  return task.result;
}

export const SERVER_TASK_CHECKS: readonly ServerCheck[] = [
  serverCheck(
    "SE40",
    SECTION,
    "A task for the peer is offered to it; its accept, progress and result are taken.",
    {
      seconds: 2,
      run: async (bench) => {
        const { operator, session, taskId, offer, ref } = await holding(bench);
        expect(offer.fault === null, "a valid task_offer", `${offer.fault}: ${offer.text}`);
        session.send("task_progress", { ...ref, progress: 0.5, message: "half" });
        session.send("task_result", { ...ref, ok: true, result: { done: true } });
        const result = await becomes(operator, taskId, "succeeded");
        const text = JSON.stringify(result);
        expect(text === '{"done":true}', '{"done":true}', text);
      },
    },
  ),
  serverCheck(
    "SE41",
    "protocol.md#offers",
    "A result under another fence than the offer's is refused with lease_lost.",
    {
      seconds: 2,
      run: async (bench) => {
        const { session, ref } = await holding(bench);
        const wrong = { ...ref, fence: ref.fence + 1 };
        const id = session.send("task_result", { ...wrong, ok: true, result: 1 });
        await session.expect(
          "an error with details: lease_lost",
          ({ type, replyTo, payload }) =>
            type === "error" && replyTo === id && payload["details"] === "lease_lost",
        );
      },
    },
  ),
  serverCheck(
    "SE42",
    "protocol.md#confirmation",
    "A repeated result changes nothing, and is refused with no error that costs the session.",
    {
      seconds: 2,
      run: async (bench) => {
        const { operator, session, taskId, ref } = await holding(bench);
        session.send("task_result", { ...ref, ok: true, result: "first" });
        session.send("task_result", { ...ref, ok: true, result: "second" });
        await session.settle();
        const result = await becomes(operator, taskId, "succeeded");
        expect(result === "first", "the first result", JSON.stringify(result));
      },
    },
  ),
  serverCheck(
    "SE43",
    "protocol.md#task_cancel",
    "A task that is canceled is canceled at its peer.",
    {
      seconds: 2,
      run: async (bench) => {
        const { operator, session, taskId, ref } = await holding(bench);
        await session.settle();
        await operator.cancel(taskId);
        await session.expect(
          "task_cancel under the fence of the offer",
          ({ type, payload }) => type === "task_cancel" && payload["fence"] === ref.fence,
        );
      },
    },
  ),
  serverCheck(
    "SE44",
    "protocol.md#offers",
    "A peer without prefetch is offered no more than it has slots.",
    {
      seconds: 4,
      run: async (bench) => {
        const { operator, keys, session } = await holding(bench);
        await operator.submit(keys.id, KIND, { a: 2 });
        await session.never("no second offer while the slot is busy", isOffer, 2_500);
      },
    },
  ),
  serverCheck(
    "SE45",
    "protocol.md#reconnecting",
    "What the hello names as held stays the peer's: its result is taken in the next session.",
    {
      seconds: 4,
      run: async (bench) => {
        const { operator, keys, session, taskId, ref } = await holding(bench);
        await session.settle();
        session.socket.drop();
        await pause(300);
        const next = await welcomed(bench, { keys, hello: { ...HELLO, held: [ref] } });
        next.send("task_result", { ...ref, ok: true, result: "after all" });
        const result = await becomes(operator, taskId, "succeeded");
        expect(result === "after all", "the result", JSON.stringify(result));
      },
    },
  ),
  serverCheck(
    "SE46",
    "protocol.md#offers",
    "What the hello does not name is offered again, under a higher fence.",
    {
      seconds: 8,
      run: async (bench) => {
        const { keys, session, taskId, ref } = await holding(bench);
        await session.settle();
        session.socket.drop();
        await pause(300);
        const next = await welcomed(bench, { keys });
        const again = await offerOf(next, taskId, 20_000);
        const { fence } = refOf(again);
        expect(fence > ref.fence, `a fence above ${ref.fence}`, summaryOf(again));
      },
    },
  ),
];
