/** The envelope of every message, in both directions. */
import { SECOND } from "../../base/clock.ts";
import { utf8 } from "../../base/bytes.ts";
import { check, type Bench, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { ReadMessage } from "../session/read-message.ts";
import { join } from "../steps/join.ts";
import { begun, decided, ended, offer, works } from "../steps/offers.ts";

const SECTION = "protocol.md#envelope";

/** A session in which the peer has sent messages of most types. */
async function talkative(bench: Bench): Promise<MeshSession> {
  const session = await join(bench, { slots: 2 });
  await works(session);
  const failing = offer(session, "fail", "a message");
  await ended(session, failing);
  const unknown = offer(session, "unknown-kind", null);
  await decided(session, unknown);
  const slow = offer(session, "slow", { seconds: 2 }, { leaseSeconds: 2 });
  await ended(session, slow);
  await session.settle();
  await pause(300);
  return session;
}

const wrong = (
  { messages }: MeshSession,
  isRight: (message: ReadMessage) => boolean,
): string | null => messages.find((message) => !isRight(message))?.text ?? null;

export const MESSAGE_CHECKS: readonly Check[] = [
  check(
    "ME01",
    SECTION,
    "Every message is one that a mesh takes: its envelope and its payload are valid.",
    {
      seconds: 4,
      run: async (bench) => {
        const { messages } = await talkative(bench);
        const faulty = messages.find(({ fault }) => fault !== null);
        expect(faulty === undefined, "valid messages", () => `${faulty?.fault}: ${faulty?.text}`);
      },
    },
  ),
  check("ME02", SECTION, "Every message has an ID of its own.", {
    seconds: 4,
    run: async (bench) => {
      const { messages } = await talkative(bench);
      const ids = messages.map(({ id }) => id);
      expect(new Set(ids).size === ids.length, "different IDs", ids.join(", "));
    },
  }),
  check("ME03", SECTION, "`from` is the ID of the peer and `to` that of the mesh.", {
    seconds: 4,
    run: async (bench) => {
      const session = await talkative(bench);
      const { peerId, meshId } = session;
      const found = wrong(session, ({ from, to }) => from === peerId && to === meshId);
      expect(found === null, `from ${peerId} to ${meshId}`, found ?? "");
    },
  }),
  check("ME04", SECTION, "`ts` is the time of sending, and does not go back within a session.", {
    subset: "full",
    seconds: 4,
    run: async (bench) => {
      const session = await talkative(bench);
      const times = session.messages.map(({ ts }) => Date.parse(ts.replace(/(\.\d{3})\d+/, "$1")));
      const isRising = times.every((time, at) => time >= (times[at - 1] ?? 0));
      expect(isRising, "times that do not go back", times.join(", "));
      const late = session.messages.find(
        ({ at }, index) => Math.abs(at - (times[index] ?? 0)) > 5 * SECOND,
      );
      expect(late === undefined, "a time within 5 s of the arrival", late?.ts ?? "");
    },
  }),
  check(
    "ME05",
    SECTION,
    "Fields of envelopes and payloads that the peer does not know are skipped.",
    {
      run: async (bench) => {
        const session = await join(bench);
        const more = { from_tomorrow: { deep: [{}] }, traceparent: 7 };
        const of = offer(session, "echo", "x", { more });
        await begun(session, of);
        await ended(session, of);
        const ping = session.send("ping", { sentAt: 5, extra: true }, { extra: { a: 1 } });
        await session.expect("a pong", ({ type, replyTo }) => type === "pong" && replyTo === ping);
      },
    },
  ),
  check("ME06", SECTION, "A message of a type that the peer does not know is skipped.", {
    run: async (bench) => {
      const session = await join(bench);
      session.send("type_of_tomorrow", { a: 1 });
      session.send("type_of_tomorrow", null, { replyTo: "nothing" });
      await works(session);
    },
  }),
  check(
    "ME07",
    "protocol.md#ping-and-pong",
    "A ping is answered by a pong with its ID in `replyTo` and its `sentAt`.",
    {
      run: async (bench) => {
        const session = await join(bench);
        const sentAt = 1_234_567;
        const id = session.send("ping", { sentAt });
        const pong = await session.expect(
          "a pong that answers the ping",
          (message) => message.type === "pong" && message.replyTo === id && message,
        );
        expect(pong.payload["sentAt"] === sentAt, `sentAt: ${sentAt}`, pong.text);
        expect(typeof pong.payload["receivedAt"] === "number", "a number in receivedAt", pong.text);
      },
    },
  ),
  check(
    "ME08",
    SECTION,
    "A message with a payload that is not valid is skipped, and the session goes on.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await join(bench);
        session.send("task_offer", { task_id: "no UUID", fence: -1 });
        session.send("task_offer", null);
        session.send("task_cancel", [1, 2]);
        session.send("welcome", "hello");
        session.send("error", { code: "text" });
        await works(session);
      },
    },
  ),
  check(
    "ME09",
    SECTION,
    "An offer that the mesh repeats while the attempt runs starts no second run.",
    {
      seconds: 4,
      run: async (bench) => {
        const session = await join(bench, { slots: 2 });
        const of = offer(session, "slow", { seconds: 1 });
        await begun(session, of);
        offer(session, "slow", { seconds: 1 }, of);
        await ended(session, of);
        await session.never(
          "one result of one attempt",
          (message) => message.type === "task_result",
          1_500,
        );
      },
    },
  ),
  check(
    "ME10",
    SECTION,
    "JSON with escapes, other members' order and white space is read as JSON.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await join(bench);
        const envelope = session.envelope("ping", { sentAt: 1 });
        const { id, type, ...rest } = envelope;
        const text = JSON.stringify({ ...rest, id, type }, null, 2).replace(
          '"ping"',
          '"\\u0070ing"',
        );
        session.sendPlain(utf8(text));
        await session.expect("a pong", ({ type: is, replyTo }) => is === "pong" && replyTo === id);
      },
    },
  ),
  check(
    "ME11",
    "protocol.md#errors",
    "An `error` of the mesh that answers no message of the peer ends nothing.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await join(bench);
        session.send("error", { code: 1004, message: "x".repeat(10_000), details: "no_such_code" });
        session.send("error", { code: 1002, message: "about nothing" }, { replyTo: "nothing" });
        await works(session);
      },
    },
  ),
  check(
    "ME12",
    "protocol.md#frames",
    "Every frame is sealed with the next counter of its direction.",
    {
      run: async (bench) => {
        const session = await join(bench);
        for (let count = 0; count < 10; count++) await works(session, { count });
      },
    },
  ),
];
