/** A mesh that has gone mad, or a machine between it and the peer. */
import { utf8 } from "../../base/bytes.ts";
import { FRAME_BYTES_MAX } from "../../protocol/constants.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { check, type Bench, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import type { MeshSession } from "../mesh/mesh-session.ts";
import { join, welcomeNext } from "../steps/join.ts";
import { decided, ended, equalJson, isAbout, isAboutTask, offer, works } from "../steps/offers.ts";

const FRAMES = "protocol.md#frames";
const HOSTILE = "protocol.md#envelope";

/** The peer ends the session, and works in the next one. */
async function endsAndReturns(bench: Bench, session: MeshSession): Promise<void> {
  await session.socket.endsWithin("the peer ends the session", 5_000);
  await works(await welcomeNext(bench, { within: 30_000 }));
}

/** The peer survives this, whether it keeps the session or ends it, and works. */
async function survives(bench: Bench, session: MeshSession): Promise<void> {
  await pause(500);
  const now =
    session.socket.closed === null ? session : await welcomeNext(bench, { within: 30_000 });
  await works(now);
}

/** The frame of an offer, sealed and not sent. */
function sealedOffer(session: MeshSession, kind = "echo") {
  const taskId = newUuid(session.mesh.random);
  const payload = {
    task_id: taskId,
    fence: 1,
    kind,
    payload: "x",
    attempt: 1,
    lease_seconds: 30,
  };
  const envelope = session.envelope("task_offer", payload);
  return { of: { taskId, fence: 1 }, frame: session.seal(utf8(JSON.stringify(envelope))) };
}

export const HOSTILE_CHECKS: readonly Check[] = [
  check("HM01", FRAMES, "A binary frame that does not open ends the session.", {
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench);
      await works(session);
      session.sendSealed(bench.mesh.random(200), "200 random bytes");
      await endsAndReturns(bench, session);
    },
  }),
  check("HM02", FRAMES, "An altered frame ends the session and is not acted on.", {
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench);
      const { of, frame } = sealedOffer(session);
      frame[10] = (frame[10] ?? 0) ^ 1;
      session.sendSealed(frame, "an altered offer");
      await endsAndReturns(bench, session);
      const acted = session.messages.some((message) => isAboutTask(message, of));
      expect(!acted, "no answer to the altered offer", "an answer");
    },
  }),
  check("HM03", FRAMES, "A frame whose counter skips one ends the session and is not acted on.", {
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench);
      session.seal(utf8("{}"));
      const { of, frame } = sealedOffer(session);
      session.sendSealed(frame, "an offer, sealed with the counter after the next");
      await endsAndReturns(bench, session);
      const acted = session.messages.some((message) => isAboutTask(message, of));
      expect(!acted, "no answer to the offer", "an answer");
    },
  }),
  check("HM04", FRAMES, "A repeated frame ends the session, and its offer is not run twice.", {
    seconds: 4,
    run: async (bench) => {
      const session = await join(bench);
      const { of, frame } = sealedOffer(session);
      session.sendSealed(frame, "an offer");
      await ended(session, of);
      session.sendSealed(frame, "the same frame again");
      await session.socket.endsWithin("the peer ends the session", 5_000);
      const results = session.messages.filter(
        (message) => message.type === "task_result" && isAbout(message, of),
      );
      expect(results.length === 1, "one result", `${results.length} results`);
    },
  }),
  check("HM05", FRAMES, "A frame of an earlier session ends the session and is not acted on.", {
    seconds: 4,
    run: async (bench) => {
      const session = await join(bench);
      const { of, frame } = sealedOffer(session);
      session.socket.drop();
      const next = await welcomeNext(bench);
      next.sendSealed(frame, "an offer that was sealed in the session before");
      await next.socket.endsWithin("the peer ends the session", 5_000);
      const acted = next.messages.some((message) => isAboutTask(message, of));
      expect(!acted, "no answer to the offer", "an answer");
    },
  }),
  check("HM06", FRAMES, "A frame above 1 MiB is not read, and the peer goes on.", {
    subset: "full",
    seconds: 4,
    run: async (bench) => {
      const session = await join(bench);
      const padding = "x".repeat(2 * FRAME_BYTES_MAX);
      session.sendPlain(utf8(JSON.stringify(session.envelope("type_of_tomorrow", { padding }))));
      await endsAndReturns(bench, session);
    },
  }),
  check(
    "HM07",
    HOSTILE,
    "An encrypted frame without an envelope (no JSON, other JSON, no UTF-8) does no harm.",
    {
      subset: "full",
      seconds: 4,
      run: async (bench) => {
        let session = await join(bench);
        const contents = [
          utf8(""),
          utf8("no JSON"),
          utf8("[]"),
          utf8("null"),
          utf8('{"id":1}'),
          Uint8Array.of(0xff, 0xfe, 0x80),
          utf8('{"type":"ping"}'),
        ];
        for (const content of contents) {
          if (session.socket.closed !== null)
            session = await welcomeNext(bench, { within: 30_000 });
          session.sendPlain(content);
          await pause(50);
        }
        await survives(bench, session);
      },
    },
  ),
  check("HM08", HOSTILE, "JSON that is nested 100,000 levels deep does no harm.", {
    subset: "full",
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench);
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
      const text = JSON.stringify(session.envelope("task_offer", "DEEP")).replace('"DEEP"', deep);
      session.sendPlain(utf8(text));
      await survives(bench, session);
    },
  }),
  check(
    "HM09",
    HOSTILE,
    "The names of built-in object members (`constructor`, `toString`, `valueOf`) are not taken for kinds.",
    {
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench, { slots: 4 });
        for (const kind of ["constructor", "toString", "hasOwnProperty", "valueOf"]) {
          const { type, text } = await decided(session, offer(session, kind, null));
          expect(type !== "task_accept", `a refusal of the kind ${kind}`, text);
        }
        session.send("__proto__", { a: 1 });
        session.send("constructor", { a: 1 });
        await works(session);
      },
    },
  ),
  check(
    "HM10",
    HOSTILE,
    "A payload with a member `__proto__` passes as data, and changes nothing else.",
    {
      subset: "full",
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench);
        const value = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as unknown;
        const { payload, text } = await ended(session, offer(session, "echo", value));
        const isSame = payload["ok"] === true && equalJson(payload["result"], value);
        expect(isSame || payload["ok"] === false, "the same value, or ok: false", text);
        await works(session, { plain: {} });
      },
    },
  ),
  check("HM11", HOSTILE, "Numbers beyond all reason in an offer do no harm.", {
    subset: "full",
    seconds: 3,
    run: async (bench) => {
      const session = await join(bench, { slots: 1 });
      for (const more of [
        { lease_seconds: 1e308 },
        { attempt_timeout_seconds: 1e308 },
        { lease_seconds: -1 },
        { attempt: 1e15 },
      ])
        offer(session, "echo", "x", { more });
      await pause(500);
      await works(session);
    },
  }),
  check("HM12", HOSTILE, "Twenty thousand messages at once do no harm.", {
    subset: "full",
    seconds: 6,
    run: async (bench) => {
      const session = await join(bench);
      for (let count = 0; count < 20_000; count++) session.send("type_of_tomorrow", { count });
      await pause(2_000);
      await survives(bench, session);
    },
  }),
];
