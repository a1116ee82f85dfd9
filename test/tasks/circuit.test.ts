import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import {
  afterExoneration,
  afterFailure,
  afterRefusal,
  afterSuccess,
  circuitState,
  EXONERATED_WEIGHT,
  failureWeight,
  isAsNew,
  isPanic,
  isProbed,
  jointState,
  NEW_CIRCUIT,
  peerWeight,
  REST_MAX,
  REST_MIN,
  type Circuit,
  type Failure,
} from "../../src/tasks/circuit.ts";

const failure = (now: number, more: Partial<Failure> = {}): Failure => ({
  weight: 1,
  baseRate: 0.1,
  everSucceeded: true,
  error: "no such file",
  now,
  ...more,
});

const failTimes = (times: number, more: Partial<Failure> = {}, from = NEW_CIRCUIT): Circuit =>
  Array.from({ length: times }, (_, i) => i).reduce(
    (circuit, i) => afterFailure(circuit, failure(i, more)),
    from,
  );

const OPEN = failTimes(3);

describe("evidence", () => {
  test("AS68 a clock that is set back by an hour does not make a rest longer than the longest one", () => {
    const opened = failTimes(3, { now: 60 * MINUTE });
    expect(circuitState(opened, 60 * MINUTE)).toBe("open");
    expect(circuitState(opened, 0)).toBe("half_open");
    expect(circuitState(opened, (opened.restsUntil ?? 0) - 1.25 * REST_MAX)).toBe("open");
  });

  test("BR1 three failures in a row at the usual rate open a circuit, two do not", () => {
    expect(circuitState(failTimes(2), 2)).toBe("closed");
    expect(circuitState(OPEN, 2)).toBe("open");
    expect(OPEN.reason).toBe("failed 3 times in a row: no such file");
  });

  test("BR1 a long good past does not delay the opening", () => {
    const good = Array.from({ length: 10_000 }).reduce<Circuit>(
      (c) => afterSuccess(c, 0),
      NEW_CIRCUIT,
    );
    expect(circuitState(failTimes(3, {}, good), 3)).toBe("open");
  });

  test("BR1 every second failure never opens a circuit, and nine in ten do", () => {
    const after = (fails: (i: number) => boolean) =>
      Array.from({ length: 1_000 }, (_, i) => i).reduce(
        (circuit, i) => (fails(i) ? afterFailure(circuit, failure(0)) : afterSuccess(circuit, 0)),
        NEW_CIRCUIT,
      );
    expect(
      circuitState(
        after((i) => i % 2 === 0),
        0,
      ),
    ).toBe("closed");
    expect(
      circuitState(
        after((i) => i % 10 !== 0),
        0,
      ),
    ).toBe("open");
  });

  test("BR1 the more often a kind fails anywhere, the more failures open a circuit, and none at a broken kind", () => {
    const opensAfter = (baseRate: number) => {
      for (let times = 1; times <= 1_000; times++)
        if (circuitState(failTimes(times, { baseRate }), 1_000) === "open") return times;
      return Infinity;
    };
    expect(opensAfter(0)).toBe(3);
    expect(opensAfter(0.1)).toBe(3);
    expect(opensAfter(0.4)).toBeGreaterThan(5);
    expect([0.9, 0.95, 1].map(opensAfter)).toEqual([Infinity, Infinity, Infinity]);
  });
});

describe("rests", () => {
  /** Opens the circuit again by a failed probe as soon as it may be probed. */
  const failProbe = (circuit: Circuit) =>
    afterFailure(circuit, failure(circuit.restsUntil ?? Number.NaN));

  test("BR2 double from 5 s to 4 min with each probe that fails", () => {
    let [circuit, since] = [OPEN, 2];
    const rests: number[] = [];
    for (let i = 0; i < 9; i++) {
      rests.push((circuit.restsUntil ?? 0) - since);
      since = circuit.restsUntil ?? 0;
      expect(circuitState(circuit, since - 1)).toBe("open");
      expect(circuitState(circuit, since)).toBe("half_open");
      circuit = failProbe(circuit);
    }
    expect(rests.map((ms) => ms / SECOND)).toEqual([5, 10, 20, 40, 80, 160, 240, 240, 240]);
  });

  test("BR2 begin with 40 s at a kind that the peer never did", () => {
    expect(failTimes(3, { everSucceeded: false, now: 0 }).restsUntil).toBe(40 * SECOND);
  });

  test("BR2 end with the success of a probe, not with that of an earlier attempt", () => {
    expect(circuitState(afterSuccess(OPEN, 3), 3)).toBe("open");
    const mended = afterSuccess(OPEN, 2 + REST_MIN);
    expect(circuitState(mended, 2 + REST_MIN)).toBe("closed");
    expect(mended.reason).toBeNull();
  });

  test("BR2 are halved by each success while the circuit is open", () => {
    let circuit = failTimes(3, { everSucceeded: false, now: 0 });
    for (let i = 0; i < 4; i++) circuit = afterSuccess(circuit, 0);
    expect(circuit.restsUntil).toBe(2_500);
  });

  test("BR2 are not prolonged by failures of attempts that began before", () => {
    expect(afterFailure(OPEN, failure(3)).restsUntil).toBe(OPEN.restsUntil);
  });

  test("BR2 a circuit that closed opens after two failures, and soon after for longer than later", () => {
    const mended = afterSuccess(OPEN, 10 * SECOND);
    const restAfter = (pause: number) => {
      const at = 10 * SECOND + pause;
      const again = failTimes(2, { now: at }, mended);
      const twice = afterFailure(afterFailure(mended, failure(at)), failure(at));
      expect(circuitState(again, at)).toBe("open");
      return (twice.restsUntil ?? 0) - at;
    };
    expect(restAfter(0)).toBe(2 * REST_MIN);
    expect(restAfter(10 * MINUTE)).toBeLessThan(1.5 * REST_MIN);
    expect(restAfter(10 * MINUTE)).toBeGreaterThanOrEqual(REST_MIN);
  });

  test("BR2 a circuit is never stuck: whatever happened, a success after the rest closes it", () => {
    const anyEvent = fc.record({
      type: fc.constantFrom("failure", "success", "refusal", "exoneration"),
      weight: fc.double({ min: 0, max: 1, noNaN: true }),
      baseRate: fc.double({ min: 0, max: 1, noNaN: true }),
      everSucceeded: fc.boolean(),
      pause: fc.nat(20 * MINUTE),
    });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let [circuit, now] = [NEW_CIRCUIT, 0];
        for (const { type, weight, baseRate, everSucceeded, pause } of events) {
          now += pause;
          if (type === "success") circuit = afterSuccess(circuit, now);
          else if (type === "failure")
            circuit = afterFailure(circuit, failure(now, { weight, baseRate, everSucceeded }));
          else if (type === "refusal")
            circuit = afterRefusal(circuit, { everSucceeded, reason: "no", now });
          else circuit = afterExoneration(circuit, { weight, baseRate, now });
          const { evidence, openings, restsUntil, reason } = circuit;
          expect(evidence).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(evidence) && Number.isFinite(openings)).toBe(true);
          expect((restsUntil ?? now) - now).toBeLessThanOrEqual(REST_MAX);
          expect(reason === null).toBe(restsUntil === null);
        }
        now = Math.max(now, circuit.restsUntil ?? 0);
        expect(circuitState(afterSuccess(circuit, now), now)).toBe("closed");
      }),
    );
  });

  test("BR2 nothing of a circuit remains a few hours after it closed", () => {
    let circuit = afterSuccess(failTimes(3), 10 * SECOND);
    expect(isAsNew(circuit, 10 * SECOND)).toBe(false);
    for (let i = 0; i < 10; i++) circuit = afterSuccess(circuit, 3_600 * SECOND);
    expect(isAsNew(circuit, 3_600 * SECOND)).toBe(true);
    expect(isAsNew(NEW_CIRCUIT, 0)).toBe(true);
  });
});

describe("refusals", () => {
  const refusal = (now: number, everSucceeded = false) => ({
    everSucceeded,
    reason: "no GPU",
    now,
  });

  test("BR3 a peer that refused a kind twice and never did it rests, with the reason", () => {
    const once = afterRefusal(NEW_CIRCUIT, refusal(0));
    const twice = afterRefusal(once, refusal(1));
    expect(circuitState(once, 1)).toBe("closed");
    expect(circuitState(twice, 1)).toBe("refusing");
    expect(twice.reason).toBe("refused 2 times, never done: no GPU");
    const later = twice.restsUntil ?? 0;
    expect(circuitState(twice, later)).toBe("half_open");
    const rest = (afterRefusal(twice, refusal(later)).restsUntil ?? 0) - later;
    expect(rest).toBe(2 * (later - 1));
  });

  test("BR3 a peer that did the kind keeps its standing, however often it refuses", () => {
    let circuit = NEW_CIRCUIT;
    for (let i = 0; i < 100; i++) circuit = afterRefusal(circuit, refusal(i, true));
    expect(circuitState(circuit, 100)).toBe("closed");
  });

  test("BR3 a success between two refusals counts", () => {
    const between = afterSuccess(afterRefusal(NEW_CIRCUIT, refusal(0)), 1);
    expect(circuitState(afterRefusal(between, refusal(2)), 2)).toBe("closed");
  });
});

describe("a task that fails everywhere", () => {
  test("BR4 opens no circuit, and leaves a peer in good standing almost as it was", () => {
    // Each of 1,000 such tasks fails at this peer and four others, in some order; between them the peer succeeds nine times.
    for (const order of [0, 1, 2, 3, 4]) {
      let circuit = NEW_CIRCUIT;
      let worst = 0;
      for (let task = 0; task < 1_000; task++) {
        circuit = afterFailure(circuit, failure(0, { weight: failureWeight(order) }));
        if (order === 0)
          circuit = afterExoneration(circuit, { weight: EXONERATED_WEIGHT, baseRate: 0.1, now: 0 });
        worst = Math.max(worst, circuit.evidence);
        for (let i = 0; i < 9; i++) circuit = afterSuccess(circuit, 0);
      }
      expect(circuitState(circuit, 0)).toBe("closed");
      expect(worst).toBeLessThan(0.6);
    }
  });

  test("BR4 that opened a circuit closes it again when another peer fails at it too", () => {
    const cleared = afterExoneration(OPEN, { weight: EXONERATED_WEIGHT, baseRate: 0.1, now: 3 });
    expect(circuitState(cleared, 3)).toBe("closed");
    expect(cleared.openings).toBe(0);
    expect(cleared.failuresInRow).toBe(2);
  });

  test("BR4 does not fail the probe of a peer that may be mended", () => {
    const at = OPEN.restsUntil ?? 0;
    const probed = afterFailure(OPEN, failure(at, { weight: failureWeight(2) }));
    expect(circuitState(probed, at)).toBe("half_open");
  });
});

describe("a peer that gets one task at a time", () => {
  test("BR5 has a circuit that is not closed, or failed at a kind that it never did", () => {
    expect(isProbed(NEW_CIRCUIT, false)).toBe(false);
    expect(isProbed(failTimes(1), false)).toBe(true);
    expect(isProbed(failTimes(1), true)).toBe(false);
    expect(isProbed(OPEN, true)).toBe(true);
  });
});

describe("circuits together", () => {
  test.for([true, false])(
    "BR9 one kind that fails never opens the peer's own circuit, and two kinds do (done before: %s)",
    (everSucceeded) => {
      let peer = NEW_CIRCUIT;
      const failKind = (times: number) => {
        for (let row = 1; row <= times; row++)
          peer = afterFailure(peer, failure(0, { weight: peerWeight(row), everSucceeded }));
      };
      failKind(1_000);
      expect(circuitState(peer, 0)).toBe("closed");
      failKind(3);
      expect(circuitState(peer, 0)).toBe("open");
    },
  );

  test("BR5 the worse of the peer's and the kind's circuit counts", () => {
    expect(jointState(["closed", "closed"])).toBe("closed");
    expect(jointState(["closed", "half_open"])).toBe("half_open");
    expect(jointState(["half_open", "open"])).toBe("open");
    expect(jointState(["open", "refusing"])).toBe("refusing");
    expect(jointState([])).toBe("closed");
  });

  test("BR6 over half of all capable peers is a panic, half of them is not", () => {
    expect(isPanic(5, 10)).toBe(false);
    expect(isPanic(6, 10)).toBe(true);
    expect(isPanic(1, 1)).toBe(true);
    expect(isPanic(0, 0)).toBe(false);
  });
});
