import { toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { secretOf, signStandard } from "../../src/webhooks/standard-webhooks.ts";
import { must } from "../must.ts";
import { counting, PEER, TASK_ID, TIME, UNIX_SECONDS } from "./fixed.ts";
import type { VectorFile } from "./vector-file.ts";

const KEY = counting(0x31, 32);
const SECRET = secretOf(KEY);
const OTHER_SECRET = secretOf(counting(0x32, 32));

const eventText = (retries = 0, id = TASK_ID) =>
  JSON.stringify({
    type: "task.succeeded",
    timestamp: TIME,
    data: {
      id,
      kind: "resize",
      state: "succeeded",
      ended_at: TIME,
      retries,
      peer_id: PEER.id,
      result: { width: 100, name: "né", exact: "see the text" },
      error: null,
    },
  }).replace('"see the text"', "12345678901234567890");

const signed = (body: string, secrets: readonly string[], id = TASK_ID) =>
  must(signStandard(secrets, { id, at: UNIX_SECONDS * 1_000, body: utf8(body) }));

const BODY = eventText();
const HEADERS = signed(BODY, [SECRET]);
const SIGNATURE = HEADERS["webhook-signature"] ?? "";
const RETRY_ID = `${TASK_ID}-retry-2`;

interface Case {
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly secrets?: readonly string[];
  /** Seconds from the signing to the check. */
  readonly age?: number;
  /** Undefined: accepted. */
  readonly refused?: string;
}

const CASES: readonly Case[] = [
  { name: "a callback" },
  { name: "five minutes late", age: 300 },
  { name: "more than five minutes late", age: 301, refused: "signature_stale" },
  { name: "five minutes early", age: -300 },
  { name: "more than five minutes early", age: -301, refused: "signature_stale" },
  {
    name: "signed with two secrets during a rotation, the receiver has the old one",
    headers: signed(BODY, [OTHER_SECRET, SECRET]),
  },
  { name: "the receiver has two secrets", secrets: [OTHER_SECRET, SECRET] },
  { name: "the secret without its prefix", secrets: [toBase64(KEY)] },
  { name: "another secret", secrets: [OTHER_SECRET], refused: "signature_invalid" },
  { name: "another body", body: BODY.replace("100", "101"), refused: "signature_invalid" },
  {
    name: "another time in the header",
    headers: { ...HEADERS, "webhook-timestamp": String(UNIX_SECONDS + 1) },
    refused: "signature_invalid",
  },
  {
    name: "another ID in the header",
    headers: { ...HEADERS, "webhook-id": RETRY_ID },
    refused: "signature_invalid",
  },
  {
    name: "a time that is no whole number",
    headers: { ...HEADERS, "webhook-timestamp": `${UNIX_SECONDS}.0` },
    refused: "signature_invalid",
  },
  {
    name: "no signature",
    headers: { "webhook-id": TASK_ID, "webhook-timestamp": String(UNIX_SECONDS) },
    refused: "signature_missing",
  },
  {
    name: "only a signature of another version",
    headers: { ...HEADERS, "webhook-signature": SIGNATURE.replace("v1,", "v1a,") },
    refused: "signature_invalid",
  },
  {
    name: "the end of a task's second retry",
    headers: signed(eventText(2), [SECRET], RETRY_ID),
    body: eventText(2),
  },
  {
    name: "signed, but its ID is not that of the event",
    headers: signed(BODY, [SECRET], RETRY_ID),
    refused: "invalid_request",
  },
  {
    name: "signed, but not an event of a task",
    headers: signed("{}", [SECRET]),
    body: "{}",
    refused: "invalid_request",
  },
  {
    name: "signed, but not JSON",
    headers: signed("", [SECRET]),
    body: "",
    refused: "invalid_request",
  },
];

export const callbacks = (): VectorFile => ({
  about: [
    "Callbacks, signed by Standard Webhooks 1.0.0: `v1,` and the base64 of HMAC-SHA256(key, webhook-id + `.` + webhook-timestamp + `.` + body), where the key is the base64 after `whsec_`. `webhook-id` is the task's ID, followed by `-retry-` and `retries` if the task was retried.",
    "`now` is Unix seconds. `accepted` is whether a receiver with these secrets takes the callback; if it does not, `code` says why. Numbers in `result` may be longer than a double holds.",
  ],
  vectors: {
    key: toHex(KEY),
    secret_text: SECRET,
    cases: CASES.map(
      ({ name, headers = HEADERS, body = BODY, secrets = [SECRET], age = 0, refused }) => ({
        name,
        secrets,
        headers,
        body_text: body,
        now: UNIX_SECONDS + age,
        accepted: refused === undefined,
        ...(refused !== undefined && { code: refused }),
      }),
    ),
  },
});
