/** What a worker does with an offer. */
import { TASK_ERROR_CHARS_MAX, PROGRESS_MESSAGE_CHARS_MAX } from "../../protocol/constants.ts";
import { check, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { ReadMessage } from "../session/read-message.ts";
import { join } from "../steps/join.ts";
import {
  begun,
  decided,
  ended,
  equalJson,
  isAbout,
  offer,
  works,
  type Offer,
} from "../steps/offers.ts";

const SECTION = "protocol.md#running-tasks";

const VALUES: readonly unknown[] = [
  null,
  false,
  0,
  -1.5e-7,
  9_007_199_254_740_991,
  "",
  'quotes " and \\ and \u0007 and \u2028',
  "grüße, 你好, 🦡",
  [],
  {},
  [null, [true, [{ "": { a: [] } }]]],
  { constructor: 1, "a b": 2, ü: 3 },
];

/** Progress of one attempt, as it came. */
const progressOf = ({ messages }: MeshSession, of: Offer) =>
  messages.filter((message) => message.type === "task_progress" && isAbout(message, of));

export const TASK_CHECKS: readonly Check[] = [
  check(
    "WT01",
    SECTION,
    "An offer is accepted, and its result follows, both under its ID and fence.",
    {
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "echo", { a: 1 }, { fence: 7 });
        await begun(session, of);
        const { payload, text } = await ended(session, of);
        const isRight = payload["ok"] === true && equalJson(payload["result"], { a: 1 });
        expect(isRight, '{"ok": true, "result": {"a": 1}}', text);
      },
    },
  ),
  check("WT02", SECTION, "Every JSON value passes through a task unchanged.", {
    seconds: 2,
    run: async (bench) => {
      const session = await join(bench);
      for (const value of VALUES) {
        const of = offer(session, "echo", value);
        const { payload, text } = await ended(session, of);
        const isSame = payload["ok"] === true && equalJson(payload["result"] ?? null, value);
        expect(isSame, JSON.stringify(value), text);
      }
    },
  }),
  check(
    "WT03",
    SECTION,
    "An attempt is accepted when it begins, before anything else is said of it.",
    {
      seconds: 3,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "slow", { seconds: 2 });
        await begun(session, of, 1_500);
        await ended(session, of);
        const types = session.messages.filter((each) => isAbout(each, of)).map(({ type }) => type);
        expect(types[0] === "task_accept", "task_accept first", types.join(", "));
      },
    },
  ),
  check("WT04", SECTION, "A handler that fails ends its attempt with ok: false and its message.", {
    run: async (bench) => {
      const session = await join(bench);
      const of = offer(session, "fail", "the disk is full");
      const { payload, text } = await ended(session, of);
      const says = String(payload["error"]).includes("the disk is full");
      expect(payload["ok"] === false && says, "ok: false with `the disk is full`", text);
    },
  }),
  check("WT05", SECTION, `The text of an error has ${TASK_ERROR_CHARS_MAX} characters at most.`, {
    subset: "full",
    run: async (bench) => {
      const session = await join(bench);
      const of = offer(session, "fail", "x".repeat(5_000));
      const { payload } = await ended(session, of);
      const { length } = String(payload["error"]);
      const isBounded = payload["ok"] === false && length > 0 && length <= TASK_ERROR_CHARS_MAX;
      expect(isBounded, `1 to ${TASK_ERROR_CHARS_MAX} characters`, `${length} characters`);
    },
  }),
  check(
    "WT06",
    SECTION,
    "An offer of a kind that the peer does not handle is refused, with a reason.",
    {
      run: async (bench) => {
        const session = await join(bench);
        const { type, text } = await decided(session, offer(session, "resize", null));
        expect(type === "task_refuse" || type === "task_release", "task_refuse", text);
        await works(session);
      },
    },
  ),
  check(
    "WT07",
    "protocol.md#task_progress",
    "A running attempt is renewed by task_progress before its lease is over.",
    {
      seconds: 7,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "slow", { seconds: 5 }, { leaseSeconds: 2 });
        const accepted = await begun(session, of);
        const result = await ended(session, of, 12_000);
        const times = [accepted.at, ...progressOf(session, of).map(({ at }) => at), result.at];
        const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
        const longest = Math.max(...gaps);
        expect(longest < 2_000, "a message at least every 2 s", `${longest} ms without one`);
      },
    },
  ),
  check(
    "WT08",
    "protocol.md#task_progress",
    "Progress is a fraction from 0 to 1 that grows, and a message of at most 500 characters.",
    {
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "slow", { seconds: 3 }, { leaseSeconds: 2 });
        await ended(session, of);
        const sent = progressOf(session, of).map(({ payload }) => payload);
        const fractions = sent.flatMap(({ progress }) =>
          progress === undefined ? [] : [Number(progress)],
        );
        const isGrowing = fractions.every(
          (each, at) => each >= (fractions[at - 1] ?? 0) && each <= 1,
        );
        const isShort = sent.every(
          ({ message = "" }) => String(message).length <= PROGRESS_MESSAGE_CHARS_MAX,
        );
        expect(fractions.length > 0, "progress of the kind `slow`", JSON.stringify(sent));
        expect(isGrowing && isShort, "fractions that grow up to 1", JSON.stringify(sent));
      },
    },
  ),
  check(
    "WT09",
    "protocol.md#task_cancel",
    "A canceled attempt stops at once: its slot is free and it sends no result.",
    {
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        const of = offer(session, "slow", { seconds: 30 });
        await begun(session, of);
        await pause(300);
        session.send("task_cancel", { task_id: of.taskId, fence: of.fence, reason: "canceled" });
        await pause(1_000);
        await works(session);
        const isResult = (message: ReadMessage): boolean =>
          message.type === "task_result" && isAbout(message, of);
        await session.never("no result of the canceled attempt", isResult, 500);
      },
    },
  ),
  check(
    "WT10",
    "protocol.md#task_cancel",
    "A cancel with an older fence than the running attempt's is skipped.",
    {
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        const of = offer(session, "slow", { seconds: 1 }, { fence: 5 });
        await begun(session, of);
        session.send("task_cancel", { task_id: of.taskId, fence: 4, reason: "an older attempt" });
        const { payload, text } = await ended(session, of);
        expect(payload["ok"] === true, "the result of the attempt", text);
      },
    },
  ),
  check(
    "WT11",
    "protocol.md#task_cancel",
    "A cancel, or a return, of a task that the peer does not have is skipped.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await join(bench);
        const task_id = "00000000-0000-4000-8000-000000000001";
        session.send("task_cancel", { task_id, fence: 1, reason: "unknown" });
        session.send("task_return", { task_id, fence: 1 });
        await works(session);
      },
    },
  ),
  check(
    "WT12",
    "protocol.md#offers",
    "Work that the mesh offers again under a higher fence ends under the higher fence.",
    {
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        const first = offer(session, "slow", { seconds: 2 }, { fence: 1 });
        await begun(session, first);
        const second = offer(session, "slow", { seconds: 2 }, { ...first, fence: 3 });
        const decision = await decided(session, second);
        const isOld = (message: ReadMessage): boolean =>
          message.type === "task_result" && isAbout(message, first);
        if (decision.type === "task_accept") await ended(session, second, 10_000);
        const statement = "no result under the old fence once the new one was offered";
        await session.never(statement, isOld, decision.type === "task_accept" ? 500 : 3_000);
      },
    },
  ),
  check(
    "WT13",
    "protocol.md#offers",
    "An offer with a lower fence than the running attempt's changes nothing.",
    {
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench, { slots: 2 });
        const current = offer(session, "slow", { seconds: 1.5 }, { fence: 9 });
        await begun(session, current);
        const old = offer(session, "slow", { seconds: 1 }, { ...current, fence: 8 });
        await ended(session, current);
        const isOld = (message: ReadMessage): boolean =>
          isAbout(message, old) && ["task_accept", "task_result"].includes(message.type);
        await session.never("the older attempt is not begun", isOld, 1_500);
      },
    },
  ),
  check(
    "WT14",
    "protocol.md#the-limits-of-an-attempt",
    "An attempt that takes longer than its timeout fails by the peer's own word.",
    {
      level: "should",
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench);
        const more = { attempt_timeout_seconds: 1 };
        const of = offer(session, "slow", { seconds: 20 }, { more });
        const { payload, text } = await ended(session, of, 5_000);
        expect(payload["ok"] === false, "ok: false", text);
      },
    },
  ),
  check("WT15", SECTION, "A hundred tasks one after another all succeed.", {
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench);
      for (let count = 0; count < 100; count++) await works(session, { count });
    },
  }),
  check(
    "WT16",
    "protocol.md#offers",
    "An offer that was held back for 10 s on its way is not accepted: the mesh has given it up.",
    {
      level: "should",
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const session = await join(bench);
        await works(session);
        const ts = new Date(session.mesh.now - 10_000).toISOString();
        const task_id = "00000000-0000-4000-8000-000000000002";
        const late = { task_id, fence: 1, kind: "echo", payload: 1, attempt: 1, lease_seconds: 30 };
        session.send("task_offer", late, { ts });
        const isAccept = ({ type, payload }: ReadMessage): boolean =>
          type === "task_accept" && payload["task_id"] === task_id;
        await session.never("no task_accept of the late offer", isAccept, 1_500);
        await works(session);
      },
    },
  ),
];
