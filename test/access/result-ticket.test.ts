import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readResultTicket, resultTicket } from "../../src/access/result-ticket.ts";
import { seededRandom } from "../random.ts";

const KEY = seededRandom(1)(32);
const anyAttempt = fc.record({
  taskId: fc.uuid(),
  fence: fc.integer({ min: 1, max: 999 }),
  peerId: fc.stringMatching(/^[0-9a-f]{32}$/),
});

test("AS23 a ticket is good for its own attempt, and for no other, of no other mesh", () => {
  fc.assert(
    fc.property(anyAttempt, anyAttempt, (mine, other) => {
      fc.pre(mine.taskId !== other.taskId && mine.peerId !== other.peerId);
      const ticket = resultTicket(KEY, mine);
      expect(readResultTicket(KEY, ticket, mine)).toEqual(mine);
      expect(readResultTicket(KEY, ticket, { ...mine, fence: mine.fence + 1 })).toBeNull();
      expect(readResultTicket(KEY, ticket, { ...mine, taskId: other.taskId })).toBeNull();
      expect(readResultTicket(seededRandom(2)(32), ticket, mine)).toBeNull();
      const [, mac = ""] = ticket.split(".");
      expect(readResultTicket(KEY, `${other.peerId}.${mac}`, mine)).toBeNull();
    }),
  );
});

test.for(["", ".", "a.b", "x".repeat(65)])("AS23 %j is no ticket", (text) => {
  expect(readResultTicket(KEY, text, { taskId: crypto.randomUUID(), fence: 1 })).toBeNull();
});
