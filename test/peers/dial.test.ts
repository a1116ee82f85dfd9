import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterDialEvent, redialAt, type Dial, type DialEvent } from "../../src/peers/dial.ts";
import {
  DIAL_BACKOFF_INITIAL,
  DIAL_BACKOFF_MAX,
  DIAL_REPORT_TIMEOUT,
  DIAL_BACKOFF_RESET_AFTER,
} from "../../src/protocol/constants.ts";
import { DIAL_STATES, type DialState } from "../../src/protocol/http.ts";

const NOW = 1_767_225_600_000;
const PROVED = { publicKey: "ab".repeat(32), peerId: "cd".repeat(16) };

const aDial = (state: DialState, change: Partial<Dial> = {}): Dial => ({
  id: "0".repeat(32),
  url: "wss://peer.example/ws",
  name: "",
  publicKey: null,
  peerId: null,
  addedAt: NOW - 1_000,
  addedBy: "admin",
  state,
  since: NOW - 500,
  dueAt: state === "waiting" || state === "queued" || state === "dialling" ? NOW - 10 : null,
  attempts: 4,
  failures: 2,
  lastError: null,
  ...change,
});

const EVENTS: readonly DialEvent[] = [
  { type: "due" },
  { type: "called" },
  { type: "failed", error: "no answer", proved: null },
  { type: "connected", proved: PROVED },
  { type: "elsewhere" },
  { type: "gone", reason: "the connection closed" },
  { type: "barred", reason: "revoked" },
  { type: "wanted" },
];

const after = (dial: Dial, event: DialEvent, random = 0.5) =>
  afterDialEvent(dial, event, NOW, () => random);

describe("the pause before an address is dialed again", () => {
  test("DL1 doubles with each failure up to 15 minutes, with jitter, and never grows beyond", () => {
    for (const [failures, pause] of [
      [0, DIAL_BACKOFF_INITIAL],
      [1, DIAL_BACKOFF_INITIAL],
      [2, 2 * DIAL_BACKOFF_INITIAL],
      [5, 16 * DIAL_BACKOFF_INITIAL],
      [9, DIAL_BACKOFF_MAX],
      [100_000, DIAL_BACKOFF_MAX],
    ] as const) {
      expect(redialAt(failures, NOW, () => 0)).toBe(NOW + pause / 2);
      expect(redialAt(failures, NOW, () => 0.999_999)).toBe(NOW + pause);
    }
  });

  test("DL1 lies between half of its longest value and that value, for any random number", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, drawn) => {
          const pause = redialAt(failures, NOW, () => drawn) - NOW;
          const most = redialAt(failures, NOW, () => 1) - NOW;
          expect(pause).toBeGreaterThanOrEqual(most / 2);
          expect(pause).toBeLessThanOrEqual(most);
          expect(most).toBeLessThanOrEqual(DIAL_BACKOFF_MAX);
        },
      ),
    );
  });
});

describe("a registered address", () => {
  // Columns as in EVENTS; "-" leaves it as it is.
  test.each<[DialState, string]>([
    ["waiting", "queued - - connected resting - - waiting"],
    ["queued", "- dialling - connected resting - barred -"],
    ["dialling", "- - waiting connected - - - -"],
    ["connected", "- - - connected resting waiting - -"],
    ["resting", "- - - connected resting waiting - -"],
    ["barred", "- - - connected resting - - waiting"],
  ])("DL1 that is %s becomes by each event: %s", (state, becomes) => {
    const dial = aDial(state);
    expect(
      EVENTS.map((event) => {
        const next = after(dial, event);
        return next === dial ? "-" : next.state;
      }).join(" "),
    ).toBe(becomes);
  });

  test("DL1 has a due time exactly in the states that wait for one", () => {
    for (const state of DIAL_STATES)
      for (const event of EVENTS) {
        const next = after(aDial(state), event);
        const timed = ["waiting", "queued", "dialling"].includes(next.state);
        expect([next.state, next.dueAt !== null]).toEqual([next.state, timed]);
      }
  });

  test("DL1 keeps its position in the queue from the time at which it was due", () => {
    expect(after(aDial("waiting"), { type: "due" })).toMatchObject({
      state: "queued",
      dueAt: NOW - 10,
    });
  });

  test("DL1 counts failures in a row, and a session that lasted a minute resets the count", () => {
    const failed = after(aDial("dialling"), { type: "failed", error: "refused", proved: null });
    expect(failed).toMatchObject({ failures: 3, lastError: "refused" });
    const gone = { type: "gone", reason: "it closed" } as const;
    const brief = aDial("connected", { since: NOW - DIAL_BACKOFF_RESET_AFTER + 1 });
    expect(after(brief, gone)).toMatchObject({ failures: 3, lastError: "it closed" });
    const steady = aDial("connected", { since: NOW - DIAL_BACKOFF_RESET_AFTER });
    expect(after(steady, gone)).toMatchObject({
      failures: 0,
      dueAt: NOW + 0.75 * DIAL_BACKOFF_INITIAL,
    });
  });

  test("DL8 gives up an attempt without a report after its deadline", () => {
    expect(after(aDial("queued"), { type: "called" })).toMatchObject({
      attempts: 5,
      dueAt: NOW + DIAL_REPORT_TIMEOUT,
    });
  });

  test("DL6 remembers the key that was proved there, also when the session was not admitted", () => {
    const connected = after(aDial("dialling"), { type: "connected", proved: PROVED });
    const failed = after(aDial("dialling"), { type: "failed", error: "", proved: PROVED });
    expect(connected).toMatchObject(PROVED);
    expect(failed).toMatchObject(PROVED);
  });
});
