import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  newDownloadTicket,
  readDownloadTicket,
  readUploadTicket,
  newUploadTicket,
} from "../../src/access/result-ticket.ts";
import { seededRandom } from "../random.ts";

const KEY = seededRandom(1)(32);
const anyAttempt = fc.record({
  taskId: fc.uuid(),
  fence: fc.integer({ min: 1, max: 999 }),
  peerId: fc.stringMatching(/^[0-9a-f]{32}$/),
});

test("AS23 an upload ticket is valid only for its own attempt in its own mesh", () => {
  fc.assert(
    fc.property(anyAttempt, anyAttempt, (mine, other) => {
      fc.pre(mine.taskId !== other.taskId && mine.peerId !== other.peerId);
      const ticket = newUploadTicket(KEY, mine);
      expect(readUploadTicket(KEY, ticket, mine)).toEqual(mine);
      expect(readUploadTicket(KEY, ticket, { ...mine, fence: mine.fence + 1 })).toBeNull();
      expect(readUploadTicket(KEY, ticket, { ...mine, taskId: other.taskId })).toBeNull();
      expect(readUploadTicket(seededRandom(2)(32), ticket, mine)).toBeNull();
      const [, mac = ""] = ticket.split(".");
      expect(readUploadTicket(KEY, `${other.peerId}.${mac}`, mine)).toBeNull();
    }),
  );
});

test("AS25 a download ticket is valid only for its task and peer, and is not an upload ticket", () => {
  fc.assert(
    fc.property(anyAttempt, anyAttempt, ({ taskId, fence, peerId }, other) => {
      fc.pre(taskId !== other.taskId && peerId !== other.peerId);
      const ticket = newDownloadTicket(KEY, { taskId, peerId });
      expect(readDownloadTicket(KEY, ticket, taskId)).toEqual({ taskId, peerId });
      expect(readDownloadTicket(KEY, ticket, other.taskId)).toBeNull();
      expect(readDownloadTicket(KEY, `${other.peerId}.${ticket.split(".")[1]}`, taskId)).toBeNull();
      expect(readUploadTicket(KEY, ticket, { taskId, fence })).toBeNull();
      const brings = newUploadTicket(KEY, { taskId, fence, peerId });
      expect(readDownloadTicket(KEY, brings, taskId)).toBeNull();
    }),
  );
});

test.for(["", ".", "a.b", "x".repeat(65)])("AS23 malformed text is not a ticket: %j", (text) => {
  expect(readUploadTicket(KEY, text, { taskId: crypto.randomUUID(), fence: 1 })).toBeNull();
  expect(readDownloadTicket(KEY, text, crypto.randomUUID())).toBeNull();
});
