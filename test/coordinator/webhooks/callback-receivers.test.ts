import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CALLBACK_ATTEMPTS_MAX, CALLBACK_TIMEOUT } from "../../../src/protocol/constants.ts";
import { TestMesh } from "../mesh.ts";
import { answers, hangs, Receivers, resets, type Behavior } from "./receivers.ts";

const HEALTHY = "https://alive.example";
const [DEAD_1, DEAD_2] = ["https://dead-1.test.example", "https://dead-2.example"] as const;
const MINUTE = 60_000;
/** The longest pause before a probe, with its jitter. */
const PROBE_PAUSE_MAX = 1.25 * 5 * MINUTE;

const resetsAfter =
  (after: number): Behavior =>
  (now) => {
    const reset = resets(now);
    return reset === null ? null : { ...reset, after };
  };
const dead = (n: number) => `https://d${n}.dead${n}.example`;

const BAD: readonly (readonly [string, Behavior])[] = [
  ["accept and never answer", hangs],
  ["reset the connection", resets],
  ["answer 503 with Retry-After", answers(503, { retryAfter: 120 })],
  ["answer after 14 s", answers(500, { after: 14_000 })],
];

describe("CB9 a receiver delays no other", () => {
  test.each(BAD)(
    "60 callbacks to each of two receivers that %s do not delay 30 to a healthy one",
    async (_, behavior) => {
      const world = new Receivers();
      world.give(DEAD_1, behavior, 60);
      world.give(DEAD_2, behavior, 60);
      const ids = world.give(HEALTHY, answers(200), 30);
      await world.pass(2_000);
      expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
      if (behavior !== hangs) return;
      const ended = world.sent.filter(
        ({ origin, endedAt }) => origin !== HEALTHY && endedAt !== null,
      );
      expect(ended).toEqual([]);
    },
  );

  test("40 callbacks to a receiver that hangs from the third on delay no other", async () => {
    const world = new Receivers();
    world.give(DEAD_1, answers(200), 2);
    await world.pass(1_000);
    world.give(DEAD_1, hangs, 40);
    await world.pass(100);
    const ids = world.give(HEALTHY, answers(200), 30);
    await world.pass(2_000);
    expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
  });
});

describe("CB40 places", () => {
  test("32 attempts are in progress at most, 16 of them to receivers that answer, and four in one object and to one receiver", async () => {
    const world = new Receivers();
    const slow = (n: number) => `https://slow${n}.example`;
    const owner = (n: number) => `${n % 4}`.repeat(16);
    for (let n = 0; n < 20; n++) world.give(slow(n), answers(200), 1, owner(n));
    await world.pass(5_000);
    for (let n = 0; n < 20; n++) world.give(slow(n), answers(200, { after: 3_000 }), 20, owner(n));
    for (let n = 0; n < 60; n++) world.give(dead(n), hangs, 2, owner(n));
    await world.pass(3 * MINUTE);
    expect(world.mostAtOnce(() => true)).toBe(32);
    expect(world.mostAtOnce(({ origin }) => origin.includes("slow"))).toBe(16);
    for (let n = 0; n < 8; n++) expect(world.mostAtOnce(({ sender }) => sender === n)).toBe(4);
    expect(world.mostAtOnce(({ origin }) => origin === "https://slow0.example")).toBe(4);
  });

  test("a receiver that has never answered gets one attempt at a time", async () => {
    const world = new Receivers();
    world.give(DEAD_1, hangs, 10);
    await world.pass(10 * MINUTE);
    expect(world.mostAtOnce(({ origin }) => origin === DEAD_1)).toBe(1);
  });
});

describe("CB41 a receiver that did not answer", () => {
  test.each([
    ["hangs", hangs],
    ["resets", resets],
  ] as const)(
    "and %s: all its callbacks wait for one probe, and use up no attempts",
    async (_, behavior) => {
      const world = new Receivers();
      const ids = world.give(DEAD_1, behavior, 60);
      await world.pass(60 * MINUTE);
      const sent = world.to(DEAD_1);
      // 5, 10, 20, ... 300 s apart: an hour has 17 probes or so, a quarter more or less.
      expect(sent.length).toBeGreaterThan(10);
      expect(sent.length).toBeLessThan(25);
      const recorded = ids.flatMap((id) => world.mesh.task(id).callback?.attempts ?? []);
      expect(recorded).toHaveLength(sent.length);
      expect(ids.map(world.state)).toEqual(ids.map(() => "pending"));
    },
  );

  test("is probed by one callback, and once that has an answer all go on at once", async () => {
    const world = new Receivers();
    const ids = world.give(DEAD_1, hangs, 60);
    await world.pass(30 * MINUTE);
    world.become(DEAD_1, answers(200));
    const before = world.sent.length;
    await world.pass(PROBE_PAUSE_MAX + CALLBACK_TIMEOUT + 3_000);
    const [probe, ...others] = world.sent.slice(before).filter(({ status }) => status === 200);
    expect(others.length).toBeGreaterThanOrEqual(40);
    // Those whose own retry is due later wait for it (CB6).
    expect(others.every(({ at }) => at >= (probe?.endedAt ?? Infinity))).toBe(true);
    await world.pass(24 * 60 * MINUTE);
    expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
  });

  test("shows as next_at of its callbacks when it is probed", async () => {
    const world = new Receivers();
    const ids = world.give(DEAD_1, resets, 3);
    await world.pass(3_000);
    const times = ids.map((id) => Date.parse(world.mesh.task(id).callback?.next_at ?? ""));
    for (const time of times) expect(time).toBeGreaterThan(world.mesh.now);
  });

  test("is known as such after a restart", async () => {
    const world = new Receivers();
    world.give(DEAD_1, resets, 3);
    await world.pass(1_000);
    const restarted = new TestMesh({ sql: world.mesh.sql });
    restarted.now = world.mesh.now;
    expect(restarted.run("claim_callback", { inProgress: [], afterOwners: {} }).request).toBeNull();
  });
});

describe("CB42 an attempt waits", () => {
  const waits = (world: Receivers, origin: string) =>
    world.to(origin).map(({ at, endedAt }) => (endedAt ?? Infinity) - at);

  test("15 s for a receiver that has not answered yet; a probe 5 s, and every third one 15 s", async () => {
    const world = new Receivers();
    world.give(DEAD_1, hangs, 60);
    await world.pass(10 * MINUTE);
    expect(waits(world, DEAD_1).slice(0, 7)).toEqual(
      [15, 5, 5, 15, 5, 5, 15].map((s) => s * 1_000),
    );
  });

  test("so that a receiver that always takes 8 s gets its callbacks, also after it was down", async () => {
    const world = new Receivers();
    const ids = world.give(DEAD_1, hangs, 20);
    await world.pass(MINUTE);
    world.become(DEAD_1, answers(200, { after: 8_000 }));
    await world.pass(60 * MINUTE);
    expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
  });

  test("5 s while six or more receivers that never answered are being tried", async () => {
    const world = new Receivers();
    for (let n = 0; n < 10; n++) world.give(dead(n), hangs, 1);
    const [id] = world.give(HEALTHY, answers(200), 1);
    await world.pass(8_000);
    expect(world.state(id as string)).toBe("delivered");
    await world.pass(20_000);
    const first = Array.from({ length: 10 }, (_, n) => waits(world, dead(n))[0]);
    expect(new Set(first)).toEqual(new Set([5_000, 15_000]));
  });
});

describe("CB43 owners share the places", () => {
  const [ONE, OTHER] = ["1".repeat(16), "2".repeat(16)] as const;

  test.each([
    ["hang", hangs],
    ["reset", resets],
  ] as const)("an owner with 500 receivers that %s delays no other owner", async (_, behavior) => {
    const world = new Receivers();
    for (let n = 0; n < 500; n++) world.give(dead(n), behavior, 1, ONE);
    await world.pass(30_000);
    const unknown = world.give(HEALTHY, answers(200), 30, OTHER);
    await world.pass(2_000);
    expect(unknown.map(world.state)).toEqual(unknown.map(() => "delivered"));
    const known = world.give(HEALTHY, answers(200), 30, ONE);
    await world.pass(2_000);
    expect(known.map(world.state)).toEqual(known.map(() => "delivered"));
  });

  test("a suspect is probed although others have 60 each, and callbacks to a healthy receiver are sent all the time", async () => {
    const world = new Receivers();
    const owner = (n: number) => `${n}`.repeat(16);
    const others = [4, 5, 6].map(owner);
    const deadOf = (n: number) => dead(n * 1_000);
    for (let n = 0; n < 180; n++) world.give(deadOf(n), resets, 1, others[n % 3]);
    world.give(DEAD_1, resets, 1, owner(2));
    await world.pass(MINUTE);
    // Their probes end at different times, and between any two of them a callback to the healthy receiver begins.
    for (let n = 0; n < 180; n++)
      world.give(deadOf(n), resetsAfter(2_000 + ((n * 377) % 2_900)), 3, others[n % 3]);
    const [id] = world.give(DEAD_1, answers(200), 1, owner(2));
    for (let n = 0; n < 800; n++) {
      world.give(HEALTHY, answers(200, { after: 90 }), 4, owner(3));
      await world.pass(100);
    }
    expect(world.state(id as string)).toBe("delivered");
  });

  test("a suspect of one owner is probed although another owner has 300", async () => {
    const world = new Receivers();
    for (let n = 0; n < 300; n++) world.give(dead(n), resets, 1, ONE);
    await world.pass(MINUTE);
    for (let n = 0; n < 300; n++) world.become(dead(n), hangs);
    const [id] = world.give(DEAD_1, resets, 1, OTHER);
    await world.pass(100);
    world.become(DEAD_1, answers(200));
    await world.pass(20_000);
    expect(world.state(id as string)).toBe("delivered");
  });

  test("an owner with 1,000 callbacks that are answered late leaves half of the places to others", async () => {
    const world = new Receivers();
    for (let n = 0; n < 10; n++) world.give(`https://h${n}.example`, answers(200), 1, ONE);
    await world.pass(2_000);
    for (let n = 0; n < 10; n++)
      world.give(`https://h${n}.example`, answers(200, { after: 14_000 }), 100, ONE);
    await world.pass(2_000);
    const ids = world.give(HEALTHY, answers(200), 30, OTHER);
    await world.pass(2_000);
    expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
  });

  test("receivers of one owner take turns", async () => {
    const world = new Receivers();
    const many = world.give("https://many.example", answers(200), 1);
    world.give("https://also.example", answers(200), 1);
    world.give("https://third.example", answers(200), 1);
    world.give("https://fourth.example", answers(200), 1);
    await world.pass(1_000);
    for (const name of ["many", "also", "third", "fourth"])
      many.push(...world.give(`https://${name}.example`, answers(200), 200));
    const [late] = world.give(HEALTHY, answers(200), 1);
    await world.pass(2_000);
    expect(world.state(late as string)).toBe("delivered");
    expect(many.map(world.state)).toContain("pending");
  });
});

describe("CB44 receivers that are most likely one", () => {
  test("1,000 subdomains of a domain that hangs leave places to other receivers that never answered", async () => {
    const world = new Receivers();
    for (let n = 0; n < 1_000; n++)
      world.give(
        `https://h${n}.dead.example:${30_000 + n}`,
        hangs,
        1,
        `${n % 50}`.padStart(16, "0"),
      );
    const ids = world.give(HEALTHY, answers(200), 5);
    await world.pass(2_000);
    expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
    await world.pass(MINUTE);
    expect(world.mostAtOnce(({ origin }) => origin.includes(".dead.example"))).toBeLessThanOrEqual(
      5,
    );
  });

  test("one tenant of a domain that hangs does not delay another that answers", async () => {
    const world = new Receivers();
    world.give("https://one.hosting.example", hangs, 20);
    const ids = world.give("https://two.hosting.example", answers(200), 20);
    await world.pass(3_000);
    expect(ids.map(world.state)).toEqual(ids.map(() => "delivered"));
  });
});

describe("CB48 a receiver that answers 429 or 503 with Retry-After", () => {
  test("gets no other callback of that owner before that time", async () => {
    const world = new Receivers();
    world.give(HEALTHY, answers(503, { retryAfter: 60 }), 20);
    await world.pass(55_000);
    expect(world.to(HEALTHY).length).toBeLessThanOrEqual(4);
    const other = world.give(HEALTHY, answers(200), 3, "3".repeat(16));
    await world.pass(1_000);
    expect(other.map(world.state)).toEqual(other.map(() => "delivered"));
  });

  test("is held for an hour at most, and each callback as long as it was asked to wait itself", async () => {
    const world = new Receivers();
    const [first, second] = [
      ...world.give(HEALTHY, answers(503, { retryAfter: 86_400 }), 1),
      ...world.give(HEALTHY, answers(503, { retryAfter: 86_400 }), 1),
    ];
    await world.pass(MINUTE);
    world.become(HEALTHY, answers(200));
    await world.pass(61 * MINUTE);
    expect(new Set([first, second].map((id) => world.state(id as string)))).toEqual(
      new Set(["delivered", "pending"]),
    );
    await world.pass(12 * 60 * MINUTE);
    expect([first, second].map((id) => world.state(id as string))).toEqual([
      "delivered",
      "delivered",
    ]);
  });
});

const Kind = fc.constantFrom<Behavior>(
  hangs,
  resets,
  answers(500),
  answers(503, { retryAfter: 30 }),
  answers(200),
  answers(200, { after: 8_000 }),
);

test("CB45 nothing is lost: whatever receivers do, each callback is delivered once they answer, or had twelve real attempts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(Kind, Kind, fc.integer({ min: 1, max: 8 })), {
        minLength: 1,
        maxLength: 6,
      }),
      async (kinds) => {
        const world = new Receivers();
        const ids = kinds.flatMap(([first, , count], n) =>
          world.give(dead(n), first, count, `${n % 2}`.repeat(16)),
        );
        await world.pass(10 * MINUTE);
        for (const [n, [, second]] of kinds.entries()) world.become(dead(n), second);
        await world.pass(30 * MINUTE);
        for (const n of kinds.keys()) world.become(dead(n), answers(200));
        await world.pass(3 * 24 * 60 * MINUTE);
        for (const id of ids) {
          const attempts = world.sent.filter(({ taskId }) => taskId === id).length;
          expect(world.mesh.task(id).callback?.attempts).toHaveLength(attempts);
          if (world.state(id) === "failed") expect(attempts).toBe(CALLBACK_ATTEMPTS_MAX);
          else expect(world.state(id)).toBe("delivered");
        }
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);
