/** What a mesh does with the messages and the frames of a session. */
import { utf8 } from "../../base/bytes.ts";
import { newKeyPair } from "../../crypto/key-pairs.ts";
import { CLOSE } from "../../protocol/close-codes.ts";
import { FRAME_BYTES_MAX } from "../../protocol/constants.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { expect, pause } from "../failure.ts";
import type { MessageSession } from "../session/message-session.ts";
import { closes } from "./closes.ts";
import { greet, welcomed } from "./peer-session.ts";
import { serverCheck, type ServerCheck } from "./server-bench.ts";

const FRAMES = "protocol.md#frames";

/** The mesh answers a message with an `error` of this code. */
const isRefused = (session: MessageSession, id: string, code: string): Promise<unknown> =>
  session.expect(
    `an error with details: ${code}`,
    ({ type, replyTo, payload }) =>
      type === "error" && replyTo === id && payload["details"] === code,
  );

const pingOf = (session: MessageSession): Uint8Array =>
  session.seal(utf8(JSON.stringify(session.envelope("ping", { sentAt: 1 }))));

export const SESSION_CHECKS: readonly ServerCheck[] = [
  serverCheck(
    "SE21",
    "protocol.md#envelope",
    "Every message of the mesh is valid, from its ID and to the peer.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        await session.settle();
        session.send("task_result", {
          task_id: newUuid(bench.random),
          fence: 1,
          ok: true,
          result: 1,
        });
        await session.settle();
        const { ownId, otherId } = session;
        const isRight = ({ fault, from, to }: (typeof session.messages)[number]): boolean =>
          fault === null && from === otherId && to === ownId;
        const wrong = session.messages.find((message) => !isRight(message));
        expect(wrong === undefined, "valid messages", () => `${wrong?.fault}: ${wrong?.text}`);
      },
    },
  ),
  serverCheck(
    "SE22",
    "protocol.md#liveness",
    "The text frame `ping` is answered by the text frame `pong`.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        session.socket.send("ping");
        await session.settle();
        await pause(300);
        expect(session.texts.includes("pong"), "the text frame `pong`", session.texts.join(", "));
      },
    },
  ),
  serverCheck(
    "SE23",
    "protocol.md#ping-and-pong",
    "A ping is answered by a pong with its ID, also one with confirm.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        await session.settle();
        const id = session.send("ping", { sentAt: 7, confirm: true });
        await session.expect("a pong", ({ type, replyTo }) => type === "pong" && replyTo === id);
      },
    },
  ),
  serverCheck(
    "SE24",
    "protocol.md#envelope",
    "A message of an unknown type is answered by unknown_type; the third one ends the session with 4400.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        for (let count = 0; count < 2; count++)
          await isRefused(session, session.send("type_of_tomorrow", null), "unknown_type");
        session.send("type_of_tomorrow", null);
        await closes(session.socket, [CLOSE.bad]);
      },
    },
  ),
  serverCheck(
    "SE25",
    "protocol.md#envelope",
    "A message from another peer's ID is answered by not_permitted.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        const from = "ab".repeat(16);
        await isRefused(session, session.send("ping", { sentAt: 1 }, { from }), "not_permitted");
      },
    },
  ),
  serverCheck(
    "SE26",
    "protocol.md#errors",
    "A payload that is not valid is answered by bad_message.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        const id = session.send("task_accept", { task_id: "no UUID", fence: 0 });
        await isRefused(session, id, "bad_message");
      },
    },
  ),
  serverCheck(
    "SE27",
    "protocol.md#errors",
    "A result of a task that the peer does not hold is answered by an error.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        const taskId = newUuid(bench.random);
        const id = session.send("task_result", { task_id: taskId, fence: 1, ok: true, result: 1 });
        await session.expect("an error", ({ type, replyTo }) => type === "error" && replyTo === id);
      },
    },
  ),
  serverCheck("SE28", FRAMES, "A repeated frame ends the session with 4400.", {
    run: async (bench) => {
      const session = await welcomed(bench);
      const frame = pingOf(session);
      session.sendSealed(frame, "a ping");
      session.sendSealed(frame, "the same frame again");
      await closes(session.socket, [CLOSE.bad]);
    },
  }),
  serverCheck("SE29", FRAMES, "A frame whose counter skips one ends the session with 4400.", {
    run: async (bench) => {
      const session = await welcomed(bench);
      pingOf(session);
      session.sendSealed(pingOf(session), "a ping with the counter after the next");
      await closes(session.socket, [CLOSE.bad]);
    },
  }),
  serverCheck("SE30", FRAMES, "An altered frame ends the session with 4400.", {
    run: async (bench) => {
      const session = await welcomed(bench);
      const altered = pingOf(session).map((byte, at) => byte ^ Number(at === 3));
      session.sendSealed(altered, "an altered ping");
      await closes(session.socket, [CLOSE.bad]);
    },
  }),
  serverCheck("SE31", "protocol.md#limits", "A frame above 1 MiB ends the session.", {
    run: async (bench) => {
      const session = await welcomed(bench);
      session.sendSealed(new Uint8Array(FRAME_BYTES_MAX + 1), "a frame of 1 MiB and one byte");
      await closes(session.socket, [CLOSE.bad, 1_009]);
    },
  }),
  serverCheck(
    "SE32",
    "protocol.md#limits",
    "Five hundred messages at once end the session with 4429.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        for (let count = 0; count < 500; count++) session.send("ping", { sentAt: count });
        await closes(session.socket, [CLOSE.rate], 10_000);
      },
    },
  ),
  serverCheck(
    "SE33",
    FRAMES,
    "A text frame other than `ping` is tolerated twice; the third one ends the session with 4400.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await welcomed(bench);
        session.socket.send("{}");
        session.socket.send("{}");
        await session.settle();
        session.socket.send("{}");
        await closes(session.socket, [CLOSE.bad]);
      },
    },
  ),
  serverCheck(
    "SE34",
    "protocol.md#close-codes",
    "Of two sessions of one key one stays: the other ends with 4409, or is rejected as key_in_use.",
    {
      seconds: 3,
      run: async (bench) => {
        const keys = newKeyPair(bench.random);
        const first = await welcomed(bench, { keys });
        const second = await greet(bench, keys);
        const answer = await second.expect(
          "welcome or rejection",
          (message) => ["welcome", "rejection"].includes(message.type) && message,
        );
        if (answer.type === "welcome") await closes(first.socket, [CLOSE.superseded]);
        else expect(answer.payload["code"] === "key_in_use", "key_in_use", answer.text);
      },
    },
  ),
  serverCheck(
    "SE35",
    "protocol.md#close-codes",
    "A `disconnect` of the peer is answered by a close with 1000.",
    {
      run: async (bench) => {
        const session = await welcomed(bench);
        session.send("disconnect", { reason: "goodbye", code: 1_000 });
        await closes(session.socket, [CLOSE.normal]);
      },
    },
  ),
];
