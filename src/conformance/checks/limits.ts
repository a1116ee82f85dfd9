/** Sizes and rates. */
import { utf8 } from "../../base/bytes.ts";
import {
  FRAME_BYTES_MAX,
  MESSAGES_BURST,
  MESSAGES_PER_SECOND,
  TASK_RESULT_BYTES_MAX,
} from "../../protocol/constants.ts";
import { check, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import { join } from "../steps/join.ts";
import { begun, decided, ended, isAbout, offer, works } from "../steps/offers.ts";

const SECTION = "protocol.md#limits";
const TAG_BYTES = 16;

export const LIMIT_CHECKS: readonly Check[] = [
  check("LI01", SECTION, "A frame of 1 MiB, the largest one, is read.", {
    run: async (bench) => {
      const session = await join(bench);
      const { length } = JSON.stringify(session.envelope("type_of_tomorrow", { padding: "" }));
      const padding = "x".repeat(FRAME_BYTES_MAX - TAG_BYTES - length);
      session.sendPlain(utf8(JSON.stringify(session.envelope("type_of_tomorrow", { padding }))));
      await works(session);
    },
  }),
  check(
    "LI02",
    SECTION,
    "A payload of 250 KB is handled, and a result of that size is sent in one message.",
    {
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench);
        const value = "v".repeat(250_000);
        const of = offer(session, "echo", value);
        const { payload, bytes } = await ended(session, of, 10_000);
        expect(
          payload["result"] === value,
          "the payload as the result",
          `a frame of ${bytes} bytes`,
        );
      },
    },
  ),
  check(
    "LI03",
    SECTION,
    "A result that the handler makes, of 200,000 characters, is sent in one message.",
    {
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "big", { bytes: 200_000 });
        const { payload, bytes } = await ended(session, of, 10_000);
        const { length } = String(payload["result"]);
        expect(length === 200_000, "200,000 characters", `${length} in a frame of ${bytes} bytes`);
      },
    },
  ),
  check(
    "LI04",
    SECTION,
    "A result above 256 KiB is never sent in a message: without an upload its attempt fails.",
    {
      seconds: 3,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "big", { bytes: TASK_RESULT_BYTES_MAX + 1 });
        const { payload, bytes } = await ended(session, of, 10_000);
        const isFailed = payload["ok"] === false;
        expect(isFailed, "ok: false", `ok: ${String(payload["ok"])} in ${bytes} bytes`);
      },
    },
  ),
  check(
    "LI05",
    SECTION,
    "A failure that every peer would have is final: retry is false for a result that is too large.",
    {
      level: "should",
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "big", { bytes: 2 * TASK_RESULT_BYTES_MAX });
        const { payload, text } = await ended(session, of, 10_000);
        expect(payload["retry"] === false, "retry: false", text.slice(0, 300));
      },
    },
  ),
  check(
    "LI06",
    "protocol.md#limits",
    "However many pings come at once, the peer sends no more than 100 messages and 50 a second.",
    {
      seconds: 6,
      run: async (bench) => {
        const session = await join(bench);
        await session.settle();
        const from = Date.now();
        const before = session.messages.length;
        for (let count = 0; count < 400; count++) session.send("ping", { sentAt: count });
        await pause(4_000);
        const sent = session.messages.slice(before);
        const tooMany = sent.find(
          ({ at }, index) =>
            index + 1 > MESSAGES_BURST + (MESSAGES_PER_SECOND * (at - from)) / 1_000,
        );
        const seconds = tooMany === undefined ? 0 : (tooMany.at - from) / 1_000;
        const seen = `${tooMany === undefined ? 0 : sent.indexOf(tooMany) + 1} messages in ${seconds} s`;
        expect(tooMany === undefined, "at most 100 messages and 50 a second", seen);
        expect(sent.length > 0, "pongs", "no message");
      },
    },
  ),
  check(
    "LI07",
    "protocol.md#limits",
    "However short a lease is, it is renewed at most 20 times a second.",
    {
      subset: "full",
      seconds: 5,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "slow", { seconds: 3 }, { leaseSeconds: 0.001 });
        await begun(session, of);
        await pause(3_000);
        const { length } = session.messages.filter(
          (message) => message.type === "task_progress" && isAbout(message, of),
        );
        expect(length <= 60, "at most 60 in 3 s", `${length} in 3 s`);
      },
    },
  ),
  check(
    "LI08",
    "protocol.md#limits",
    "Of 300 offers at once each is answered, and none is begun beyond the slots.",
    {
      subset: "full",
      seconds: 6,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        const offers = Array.from({ length: 300 }, () => offer(session, "slow", { seconds: 3 }));
        let begins = 0;
        for (const each of offers) {
          const { type, payload } = await decided(session, each, 15_000);
          if (type === "task_accept" && payload["queued"] !== true) begins++;
        }
        expect(begins === 1, "one attempt that is begun", `${begins}`);
      },
    },
  ),
];
