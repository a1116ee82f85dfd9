/** Results until the mesh has confirmed them. */
import { check, type Bench, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import type { ReadMessage } from "../session/read-message.ts";
import { heldIn } from "../steps/held.ts";
import { join, welcomeNext } from "../steps/join.ts";
import { begun, ended, isAbout, offer, works, type Offer } from "../steps/offers.ts";

const SECTION = "protocol.md#confirmation";

const isResultOf = (message: ReadMessage, of: Offer): boolean =>
  message.type === "task_result" && isAbout(message, of);

const confirmation = (session: MeshSession): Promise<ReadMessage> =>
  session.expect(
    "a ping with confirm: true after a result",
    (message) => message.type === "ping" && message.payload["confirm"] === true && message,
    5_000,
  );

/** A result that the mesh has not confirmed when the connection breaks, and the session after it. */
async function unconfirmed(bench: Bench) {
  const session = await join(bench);
  session.answersConfirmations = false;
  session.answersPings = false;
  const of = offer(session, "echo", "kept");
  await ended(session, of);
  session.socket.drop();
  return { of, next: await welcomeNext(bench) };
}

/** The mesh answers the result of a task with this error. Returns the session and the attempt. */
async function refused(bench: Bench, error: Readonly<Record<string, unknown>>) {
  const session = await join(bench);
  session.answersConfirmations = false;
  const of = offer(session, "echo", "refused");
  const { id, at } = await ended(session, of);
  session.send("error", { code: 1004, message: "not committed", ...error }, { replyTo: id });
  return { session, of, at };
}

export const RESULT_CHECKS: readonly Check[] = [
  check(
    "CN01",
    SECTION,
    "After a result the peer asks whether it is committed: a ping with confirm.",
    {
      subset: "full",
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench);
        await works(session);
        await confirmation(session);
      },
    },
  ),
  check(
    "CN02",
    SECTION,
    "A result that was not confirmed when the connection broke is sent again in the next session.",
    {
      seconds: 3,
      run: async (bench) => {
        const { of, next } = await unconfirmed(bench);
        await ended(next, of, 10_000);
      },
    },
  ),
  check(
    "CN03",
    SECTION,
    "An attempt whose result was not confirmed is named in `held` of the next hello.",
    {
      subset: "full",
      seconds: 3,
      run: async (bench) => {
        const { of, next } = await unconfirmed(bench);
        const isHeld = heldIn(next).some(({ task_id }) => task_id === of.taskId);
        expect(isHeld, `task ${of.taskId} in held`, next.helloText);
      },
    },
  ),
  check("CN04", SECTION, "A confirmed result is not sent again in the next session.", {
    level: "should",
    subset: "full",
    seconds: 5,
    run: async (bench) => {
      const session = await join(bench);
      const of = offer(session, "echo", "confirmed");
      await ended(session, of);
      await confirmation(session);
      await pause(500);
      session.socket.drop();
      const next = await welcomeNext(bench);
      await next.never("no repeated result", (message) => isResultOf(message, of), 1_500);
    },
  }),
  check(
    "CN05",
    SECTION,
    "A result that the mesh answers with `unavailable` is sent again, and not before retry_after.",
    {
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        const { session, of } = await refused(bench, { details: "unavailable", retry_after: 1 });
        const answeredAt = Date.now();
        const { at } = await ended(session, of, 15_000);
        const waited = at - answeredAt;
        expect(waited >= 950, "the result again after 1 s or more", `after ${waited} ms`);
      },
    },
  ),
  check("CN06", SECTION, "A result that the mesh answers with `lease_lost` is never sent again.", {
    subset: "full",
    seconds: 6,
    run: async (bench) => {
      const { session, of } = await refused(bench, { details: "lease_lost" });
      await session.never("no further result", (message) => isResultOf(message, of), 1_500);
      session.socket.drop();
      const next = await welcomeNext(bench);
      await next.never("no further result", (message) => isResultOf(message, of), 1_500);
    },
  }),
  check(
    "CN07",
    SECTION,
    "A result that becomes ready between two sessions is sent in the next session.",
    {
      seconds: 5,
      run: async (bench) => {
        const session = await join(bench);
        const of = offer(session, "slow", { seconds: 1 });
        await begun(session, of);
        session.socket.drop();
        const dial = await bench.mesh.nextDial();
        await pause(1_500);
        dial.accept().drop();
        const next = await welcomeNext(bench);
        const { payload, text } = await ended(next, of, 10_000);
        expect(payload["ok"] === true, "the result", text);
      },
    },
  ),
];
