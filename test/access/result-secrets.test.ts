import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import {
  downloadSecret,
  readDownloadTicket,
  readPayloadTicket,
  readUploadTicket,
  attemptSecret,
} from "../../src/access/result-secrets.ts";
import {
  downloadTicket,
  payloadTicket,
  readResultSecret,
  resultSecretText,
  uploadTicket,
} from "../../src/crypto/result-tickets.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";

const KEY = seededRandom(1)(32);
const OTHER_KEY = seededRandom(2)(32);
const anyAttempt = fc.record({
  taskId: fc.uuid(),
  fence: fc.integer({ min: 1, max: 999 }),
  peerId: fc.stringMatching(/^[0-9a-f]{32}$/),
});
const anyContent = fc.record({
  bytes: fc.integer({ min: 1, max: 25 * 1_024 * 1_024 }),
  sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase64),
});

test("AS100 an upload ticket is valid only for its own attempt and bytes in its own mesh", () => {
  fc.assert(
    fc.property(anyAttempt, anyAttempt, anyContent, anyContent, (mine, other, content, forged) => {
      fc.pre(mine.taskId !== other.taskId && mine.peerId !== other.peerId);
      fc.pre(content.bytes !== forged.bytes && content.sha256 !== forged.sha256);
      const secret = attemptSecret(KEY, mine);
      const ticket = uploadTicket(secret, content);
      expect(readUploadTicket(KEY, ticket, mine)).toEqual({ attempt: mine, content, secret });
      expect(ticket.length).toBeLessThanOrEqual(200);
      for (const elsewhere of [
        { ...mine, fence: mine.fence + 1 },
        { ...mine, taskId: other.taskId },
      ])
        expect(readUploadTicket(KEY, ticket, elsewhere)).toBeNull();
      expect(readUploadTicket(OTHER_KEY, ticket, mine)).toBeNull();
      const [peerId = "", bytes = "", sha256 = "", mac = ""] = ticket.split(".");
      for (const changed of [
        [other.peerId, bytes, sha256, mac],
        [peerId, forged.bytes, sha256, mac],
        [peerId, bytes, forged.sha256, mac],
        [peerId, bytes, sha256, "0".repeat(64)],
        [peerId, bytes, sha256, mac.slice(2)],
        [peerId, bytes, sha256, mac, mac],
      ])
        expect(readUploadTicket(KEY, changed.join("."), mine)).toBeNull();
    }),
  );
});

test("AS100 the ticket that goes over HTTP does not reveal the secret of the session", () => {
  fc.assert(
    fc.property(anyAttempt, anyContent, (mine, content) => {
      const secret = attemptSecret(KEY, mine);
      const text = resultSecretText(secret);
      expect(readResultSecret(text)).toEqual(secret);
      const [, hex = ""] = text.split(".");
      expect(uploadTicket(secret, content)).not.toContain(hex);
      expect(downloadTicket(secret)).not.toContain(hex);
      expect(readUploadTicket(KEY, text, mine)).toBeNull();
    }),
  );
});

test("AS102 a download ticket is valid only for its task and peer, and is not an upload ticket", () => {
  fc.assert(
    fc.property(anyAttempt, anyAttempt, anyContent, ({ taskId, fence, peerId }, other, content) => {
      fc.pre(taskId !== other.taskId && peerId !== other.peerId);
      const secret = downloadSecret(KEY, { taskId, peerId });
      const ticket = downloadTicket(secret);
      expect(readDownloadTicket(KEY, ticket, taskId)).toEqual(secret);
      expect(readDownloadTicket(KEY, ticket, other.taskId)).toBeNull();
      expect(readDownloadTicket(KEY, `${other.peerId}.${ticket.split(".")[1]}`, taskId)).toBeNull();
      expect(readUploadTicket(KEY, ticket, { taskId, fence })).toBeNull();
      expect(readUploadTicket(KEY, uploadTicket(secret, content), { taskId, fence })).toBeNull();
      const uploading = attemptSecret(KEY, { taskId, fence, peerId });
      expect(readDownloadTicket(KEY, downloadTicket(uploading), taskId)).toBeNull();
      expect(readDownloadTicket(KEY, resultSecretText(secret), taskId)).toBeNull();
    }),
  );
});

test("NX12 a ticket for a payload is valid only for its own attempt in its own mesh, and is no other ticket", () => {
  fc.assert(
    fc.property(anyAttempt, anyAttempt, anyContent, (mine, other, content) => {
      fc.pre(mine.taskId !== other.taskId && mine.peerId !== other.peerId);
      const secret = attemptSecret(KEY, mine);
      const ticket = payloadTicket(secret);
      expect(readPayloadTicket(KEY, ticket, mine)).toEqual(secret);
      expect(readPayloadTicket(OTHER_KEY, ticket, mine)).toBeNull();
      for (const elsewhere of [
        { ...mine, fence: mine.fence + 1 },
        { ...mine, taskId: other.taskId },
      ])
        expect(readPayloadTicket(KEY, ticket, elsewhere)).toBeNull();
      expect(readPayloadTicket(KEY, `${other.peerId}.${ticket.split(".")[1]}`, mine)).toBeNull();
      for (const none of [
        resultSecretText(secret),
        uploadTicket(secret, content),
        downloadTicket(secret),
        downloadTicket(downloadSecret(KEY, mine)),
      ])
        expect(readPayloadTicket(KEY, none, mine)).toBeNull();
      expect(readUploadTicket(KEY, ticket, mine)).toBeNull();
      expect(readDownloadTicket(KEY, ticket, mine.taskId)).toBeNull();
    }),
  );
});

test.for(["", ".", "a.b", "x".repeat(65), `${"0".repeat(32)}.1.x.${"0".repeat(64)}`])(
  "AS100 malformed text is not a ticket: %j",
  (text) => {
    const taskId = crypto.randomUUID();
    expect(readUploadTicket(KEY, text, { taskId, fence: 1 })).toBeNull();
    expect(readDownloadTicket(KEY, text, taskId)).toBeNull();
    expect(readPayloadTicket(KEY, text, { taskId, fence: 1 })).toBeNull();
    expect(readResultSecret(text)).toBeNull();
  },
);

test("AS100 a ticket for no bytes, or for more than 25 MiB, is none", () => {
  const attempt = { taskId: crypto.randomUUID(), fence: 1, peerId: "0".repeat(32) };
  const sha256 = present(toBase64(KEY));
  for (const bytes of [0, -1, 1.5, 25 * 1_024 * 1_024 + 1])
    expect(
      readUploadTicket(KEY, uploadTicket(attemptSecret(KEY, attempt), { bytes, sha256 }), attempt),
    ).toBeNull();
});
