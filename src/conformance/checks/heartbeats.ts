/** Signs of life, in both directions. */
import { HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT } from "../../protocol/constants.ts";
import { SECOND } from "../../base/clock.ts";
import { check, type Check } from "../check.ts";
import { expect, pause } from "../failure.ts";
import { join } from "../steps/join.ts";
import { begun, offer, works } from "../steps/offers.ts";

const SECTION = "protocol.md#liveness";
const INTERVAL = HEARTBEAT_INTERVAL + 2 * SECOND;

export const HEARTBEAT_CHECKS: readonly Check[] = [
  check("HB01", SECTION, "The peer sends the text frame `ping` within 25 s.", {
    seconds: 27,
    run: async (bench) => {
      const session = await join(bench);
      const until = session.startedAt + INTERVAL;
      while (session.heartbeats.length === 0 && Date.now() < until) await pause(200);
      expect(session.heartbeats.length > 0, "a text frame `ping` within 25 s", "none");
    },
  }),
  check(
    "HB02",
    SECTION,
    "Heartbeats go on while every slot is busy: at most 25 s pass between two.",
    {
      subset: "full",
      seconds: 53,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        await begun(session, offer(session, "slow", { seconds: 120 }, { leaseSeconds: 300 }));
        await pause(2 * INTERVAL - 2 * SECOND);
        const times = [session.startedAt, ...session.heartbeats, Date.now()];
        const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
        const longest = Math.max(...gaps);
        expect(longest <= INTERVAL, "at most 25 s between two", `${longest / SECOND} s`);
        expect(longest < HEARTBEAT_TIMEOUT, "fewer than 55 s", `${longest / SECOND} s`);
      },
    },
  ),
  check(
    "HB03",
    "protocol.md#ping-and-pong",
    "A ping of the mesh is answered at once, also while every slot is busy.",
    {
      seconds: 2,
      run: async (bench) => {
        const session = await join(bench, { slots: 1 });
        await begun(session, offer(session, "slow", { seconds: 20 }));
        await session.settle(3_000);
      },
    },
  ),
  check(
    "HB04",
    SECTION,
    "A mesh that is silent for 75 s is given up: the peer ends the session and dials again.",
    {
      level: "should",
      subset: "full",
      seconds: 80,
      run: async (bench) => {
        const session = await join(bench);
        await works(session);
        await pause(500);
        session.answersHeartbeats = false;
        session.answersPings = false;
        session.answersConfirmations = false;
        await session.socket.endsWithin("the peer ends the session", 100 * SECOND);
        await bench.mesh.nextDial();
      },
    },
  ),
  check(
    "HB05",
    SECTION,
    "A text `pong` that answers nothing is skipped, and so is every other text frame.",
    {
      subset: "full",
      run: async (bench) => {
        const session = await join(bench);
        for (const text of ["pong", "pong", "ping", "{}", ""]) session.socket.send(text);
        await works(session);
      },
    },
  ),
];
