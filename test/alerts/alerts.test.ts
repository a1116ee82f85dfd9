import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/alerts/conditions.ts";
import { ALERTS_PER_TYPE_MAX } from "../../src/alerts/limit-conditions.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../src/base/clock.ts";
import { RESTART_PAUSE_MAX } from "../../src/protocol/drain-limits.ts";
import { present } from "../must.ts";
import { AlertHistory, START } from "./alert-history.ts";

const lostPeer = (number: number, lostAt: number) => ({
  id: number.toString(16).padStart(32, "0"),
  name: `worker ${number}`,
  lostAt,
});
const lostPeers = (count: number, lostAt: number, from = 0) =>
  Array.from({ length: count }, (_, index) => lostPeer(from + index, lostAt));
const keyOf = (number: number) => `peer_down:${lostPeer(number, 0).id}`;
const waiting = (kinds: Readonly<Record<string, number>>): Partial<Facts> => ({
  oldest: new Map(Object.entries(kinds)),
  waiting: Object.keys(kinds).length,
});

describe("alerts", () => {
  test("EV24 a lost peer is an alert once it has not been back for five minutes, with its key, its time and the setting", () => {
    const history = new AlertHistory();
    const lost = [lostPeer(1, START)];
    expect(history.evaluate({ lost }, START)).toMatchObject({ next: START + 5 * MINUTE });
    history.evaluate({ lost }, START + 5 * MINUTE - 1);
    expect(history.told).toEqual([]);
    history.evaluate({ lost }, START + 5 * MINUTE);
    expect([...history.firing.values()]).toEqual([
      {
        key: keyOf(1),
        alert: "peer_down",
        peer: lostPeer(1, 0).id,
        kind: null,
        cell: null,
        since: START,
        firedAt: START + 5 * MINUTE,
        clearSince: null,
        value: 300,
        threshold: 300,
        message: `peer worker 1 (${lostPeer(1, 0).id}) was lost and has not come back for 5 minutes`,
      },
    ]);
  });

  test("EV24 circuits, the oldest task of each kind, the length of the queue and the database have alerts", () => {
    const history = new AlertHistory();
    const { id: peer, name } = lostPeer(1, 0);
    const facts = {
      ...waiting({ resize: START, echo: START + MINUTE }),
      openCircuits: [
        { peer, name, kind: null, openedAt: START },
        { peer, name, kind: "resize", openedAt: START },
      ],
      waiting: 5_000,
      storage: { used: 85, limit: 100 },
    };
    history.evaluate(facts, START);
    expect(history.told).toEqual(["+storage", "+queue_long"]);
    history.evaluate(facts, START + 15 * MINUTE);
    expect(history.told.slice(2)).toEqual([
      `+circuit_open:${peer}`,
      `+circuit_open:${peer}:resize`,
      "+queue_old:resize",
    ]);
    history.evaluate(facts, START + 16 * MINUTE);
    expect(history.told.slice(5)).toEqual(["+queue_old:echo"]);
  });

  test("EV26 an alert ends once nothing has been wrong for two minutes, and what is wrong again meanwhile is the same alert", () => {
    const history = new AlertHistory();
    history.evaluate({ lost: [lostPeer(1, START)] }, START + 5 * MINUTE);
    const back = START + 6 * MINUTE;
    expect(history.evaluate({}, back)).toMatchObject({ next: back + 2 * MINUTE });
    history.evaluate({ lost: [lostPeer(1, back + MINUTE)] }, back + MINUTE);
    history.evaluate({}, back + 2 * MINUTE);
    history.evaluate({}, back + 4 * MINUTE - 1);
    expect(history.told).toEqual([`+${keyOf(1)}`]);
    history.evaluate({}, back + 4 * MINUTE);
    expect(history.told).toEqual([`+${keyOf(1)}`, `-${keyOf(1)}`]);
  });

  test("EV26 a database and a queue that go up and down just below their thresholds are one alert", () => {
    const history = new AlertHistory();
    for (let round = 0; round < 10; round++) {
      const now = START + round * HOUR;
      history.evaluate({ waiting: 5_000, storage: { used: 85, limit: 100 } }, now);
      history.evaluate({ waiting: 4_000, storage: { used: 80, limit: 100 } }, now + HOUR / 2);
    }
    expect(history.told).toEqual(["+storage", "+queue_long"]);
    const later = START + DAY;
    history.evaluate({ waiting: 3_999, storage: { used: 79, limit: 100 } }, later);
    history.evaluate({ waiting: 3_999, storage: { used: 79, limit: 100 } }, later + 2 * MINUTE);
    expect(history.told.slice(2)).toEqual(["-storage", "-queue_long"]);
  });

  test("EV27 an alert about a peer that nobody watches any more ends at once", () => {
    const history = new AlertHistory();
    history.evaluate({ lost: [lostPeer(1, START)] }, START + 5 * MINUTE);
    history.isWatched = () => false;
    history.evaluate({}, START + 5 * MINUTE);
    expect(history.told).toEqual([`+${keyOf(1)}`, `-${keyOf(1)}`]);
  });

  test("EV28 peers that were lost at once are one alert, two minutes after the first of them", () => {
    const history = new AlertHistory();
    const lost = lostPeers(300, START).map((peer, index) => ({
      ...peer,
      lostAt: START + (index * 90 * SECOND) / 300,
    }));
    const facts = { lost, connected: () => 700 };
    expect(history.evaluate(facts, START + 95 * SECOND).next).toBe(START + 2 * MINUTE);
    history.evaluate(facts, START + 2 * MINUTE);
    history.evaluate(facts, START + HOUR);
    expect(history.told).toEqual(["+mass_failure"]);
    expect(present(history.firing.get("mass_failure"))).toMatchObject({
      value: 300,
      threshold: 5,
      since: START,
      message: "300 of 1000 peers were lost at once and have not come back",
    });
  });

  test("EV28 a peer that was lost by itself has an alert of its own beside a mass failure, and keeps one that it has", () => {
    const history = new AlertHistory();
    const early = lostPeer(1, START);
    history.evaluate({ lost: [early] }, START + 5 * MINUTE);
    const at = START + 5 * MINUTE;
    const mass = lostPeers(5, at, 10);
    const late = lostPeer(2, at + 10 * MINUTE);
    history.evaluate({ lost: [early, ...mass] }, at + 2 * MINUTE);
    history.evaluate({ lost: [early, ...mass, late] }, at + 15 * MINUTE);
    expect(history.told).toEqual([`+${keyOf(1)}`, "+mass_failure", `+${keyOf(2)}`]);
  });

  test("EV28 fewer peers than the setting, or a tenth of all, are no mass failure", () => {
    const few = new AlertHistory();
    few.evaluate({ lost: lostPeers(4, START) }, START + 5 * MINUTE);
    expect(few.told).toEqual([0, 1, 2, 3].map((number) => `+${keyOf(number)}`));
    const small = new AlertHistory();
    const connected = () => 90;
    small.evaluate({ lost: lostPeers(10, START), connected }, START + 5 * MINUTE);
    expect(small.told).not.toContain("+mass_failure");
    small.evaluate({ lost: lostPeers(11, START), connected }, START + 5 * MINUTE);
    expect(small.told).toContain("+mass_failure");
  });

  test("EV28 when most peers of a mass failure are back, those that are not have alerts of their own", () => {
    const history = new AlertHistory();
    history.evaluate({ lost: lostPeers(10, START) }, START + 2 * MINUTE);
    history.evaluate({ lost: lostPeers(3, START) }, START + 10 * MINUTE);
    expect(history.told).toEqual(["+mass_failure"]);
    history.evaluate({ lost: lostPeers(2, START) }, START + 11 * MINUTE);
    history.evaluate({ lost: lostPeers(2, START) }, START + 13 * MINUTE);
    expect(history.told).toEqual([
      "+mass_failure",
      `+${keyOf(0)}`,
      `+${keyOf(1)}`,
      "-mass_failure",
    ]);
  });

  test("EV29 twenty subjects of a type have alerts of their own, and those beyond one together", () => {
    const history = new AlertHistory({ massFailure: null });
    history.evaluate({ lost: lostPeers(ALERTS_PER_TYPE_MAX + 7, START) }, START + 5 * MINUTE);
    expect(history.firing.size).toBe(ALERTS_PER_TYPE_MAX + 1);
    expect(present(history.firing.get("peer_down"))).toMatchObject({
      peer: null,
      value: 7,
      message: "7 more peers were lost and have not come back",
    });
    // Those whose alerts end make room for others.
    const now = START + HOUR;
    history.evaluate({ lost: lostPeers(7, START, ALERTS_PER_TYPE_MAX) }, now);
    history.evaluate({ lost: lostPeers(7, START, ALERTS_PER_TYPE_MAX) }, now + 2 * MINUTE);
    history.evaluate({ lost: lostPeers(7, START, ALERTS_PER_TYPE_MAX) }, now + 4 * MINUTE);
    expect([...history.firing.keys()].toSorted()).toEqual(
      lostPeers(7, 0, ALERTS_PER_TYPE_MAX).map(({ id }) => `peer_down:${id}`),
    );
  });

  test("EV31 after the clock was set back an alert neither waits for the old time nor ends early", () => {
    const ahead = START + 30 * DAY;
    const history = new AlertHistory();
    history.evaluate({ lost: [lostPeer(1, ahead)] }, START);
    expect(history.told).toEqual([`+${keyOf(1)}`]);
    // A step back of some seconds is not the end of the time that a peer has.
    const stepped = new AlertHistory();
    const { next } = stepped.evaluate({ lost: [lostPeer(1, START + 3 * SECOND)] }, START);
    expect([stepped.told, next]).toEqual([[], START + 5 * MINUTE + 3 * SECOND]);
    // Nor is the pause that the mesh tells its peers when it restarts.
    const paused = new AlertHistory({ peerDown: MINUTE });
    const until = START + RESTART_PAUSE_MAX;
    expect(paused.evaluate({ lost: [lostPeer(1, until)] }, START).next).toBe(until + MINUTE);
    const clearing = new AlertHistory();
    clearing.evaluate({ lost: [lostPeer(1, ahead)] }, ahead + 5 * MINUTE);
    clearing.evaluate({}, ahead + 6 * MINUTE);
    clearing.evaluate({}, START);
    expect(clearing.evaluate({}, START + MINUTE).next).toBe(START + 2 * MINUTE);
    clearing.evaluate({}, START + 2 * MINUTE);
    expect(clearing.told).toEqual([`+${keyOf(1)}`, `-${keyOf(1)}`]);
  });

  test("EV33 a type that is turned off has no alert, and one that fires ends", () => {
    const off = { peerDown: null, massFailure: null, circuitOpen: null };
    const history = new AlertHistory({ ...off, storage: null, queueOld: null, queueLong: null });
    const { id: peer, name } = lostPeer(1, 0);
    const facts = {
      ...waiting({ resize: START }),
      lost: lostPeers(100, START),
      openCircuits: [{ peer, name, kind: null, openedAt: START }],
      waiting: 10_000,
      storage: { used: 99, limit: 100 },
    };
    expect(history.evaluate(facts, START + DAY).next).toBeNull();
    expect(history.told).toEqual([]);
  });

  const PEERS = 60;
  const steps = fc.array(
    fc.record({
      wait: fc.integer({ min: 0, max: 4 * MINUTE }),
      peer: fc.integer({ min: 0, max: PEERS - 1 }),
      count: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 40 })),
      back: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  );

  test("EV25 EV26 EV29 in every history each alert that fires ends once, none is lost, none ends early, and they are bounded", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const alerts = new AlertHistory();
        const lostAt = new Map<number, number>();
        const backAt = new Map<number, number>();
        const facts = () => ({
          lost: [...lostAt]
            .map(([peer, at]) => lostPeer(peer, at))
            .toSorted((a, b) => a.lostAt - b.lostAt || (a.id < b.id ? -1 : 1)),
          connected: () => PEERS - lostAt.size,
        });
        let now = START;
        const look = () => {
          const before = new Set(alerts.firing.keys());
          const { next } = alerts.evaluate(facts(), now);
          for (const key of before)
            if (!alerts.firing.has(key) && key.includes(":")) {
              const peer = Number.parseInt(key.split(":")[1] ?? "", 16);
              expect(now - (backAt.get(peer) ?? now)).toBeGreaterThanOrEqual(2 * MINUTE);
            }
          // Whoever has been away for five minutes is in an alert: by itself, with others, or beyond the bound.
          const late = [...lostAt].filter(([, at]) => now - at >= 5 * MINUTE);
          const named = late.filter(([peer]) => alerts.firing.has(keyOf(peer)));
          const together = alerts.firing.has("mass_failure") || alerts.firing.has("peer_down");
          expect(named.length === late.length || together).toBe(true);
          expect(alerts.firing.size).toBeLessThanOrEqual(ALERTS_PER_TYPE_MAX + 2);
          expect(next === null || next > now).toBe(true);
          return next;
        };
        /** Time passes: the evaluations are those that are due. */
        const pass = (until: number) => {
          for (let next = look(); next !== null && next <= until; next = look()) now = next;
          now = until;
        };
        for (const { wait, peer, count, back } of history) {
          pass(now + wait);
          for (let index = peer; index < Math.min(PEERS, peer + count); index++)
            if (back && lostAt.delete(index)) backAt.set(index, now);
            else if (!back && !lostAt.has(index)) lostAt.set(index, now);
        }
        // Who is lost and back at the same moment was never away.
        look();
        for (const peer of lostAt.keys()) backAt.set(peer, now);
        lostAt.clear();
        pass(now + 5 * MINUTE);
        expect(alerts.firing.size).toBe(0);
        const fired = alerts.told.filter((line) => line.startsWith("+"));
        const ended = alerts.told.filter((line) => line.startsWith("-"));
        expect(ended.map((line) => line.slice(1)).toSorted()).toEqual(
          fired.map((line) => line.slice(1)).toSorted(),
        );
      }),
      { numRuns: 300 },
    );
  });
});
