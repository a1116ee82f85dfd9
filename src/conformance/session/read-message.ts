import { fromUtf8, type Bytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import { firstIssue } from "../../protocol/envelope.ts";
import { isMessageType, PAYLOADS } from "../../protocol/messages.ts";
import { readEnvelope } from "../../protocol/read-envelope.ts";

/** One message of the peer. The fields are empty if the message does not have them. */
export interface ReadMessage {
  readonly id: string;
  readonly type: string;
  readonly from: string;
  readonly to: string;
  readonly ts: string;
  readonly replyTo: string | undefined;
  /** An object: {} when the payload is another value. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The JSON of the message. */
  readonly text: string;
  /** The size of its frame. */
  readonly bytes: number;
  readonly at: Millis;
  /** What a mesh finds wrong with it; null when nothing is. */
  readonly fault: string | null;
}

export function readMessage(plain: Bytes, bytes: number, at: Millis): ReadMessage {
  const text = fromUtf8(plain);
  const value = text === null ? undefined : parse(text);
  const { id, type, from, to, ts, replyTo, payload } = objectOf(value);
  return {
    id: textOf(id),
    type: textOf(type),
    from: textOf(from),
    to: textOf(to),
    ts: textOf(ts),
    replyTo: typeof replyTo === "string" ? replyTo : undefined,
    payload: objectOf(payload),
    text: text ?? "",
    bytes,
    at,
    fault: text === null ? "it is not UTF-8" : faultOf(text),
  };
}

function faultOf(text: string): string | null {
  const envelope = readEnvelope(text);
  if (!envelope.ok) return envelope.error.detail;
  const { type, payload } = envelope.value;
  if (!isMessageType(type)) return `there is no message type ${type}`;
  const read = PAYLOADS[type].safeParse(payload);
  return read.success ? null : `${type}: ${firstIssue(read.error)}`;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const SUMMARY_CHARS_MAX = 200;

export function summaryOf({ type, payload, replyTo, text }: ReadMessage): string {
  if (type === "") return `a message that is no envelope: ${text.slice(0, SUMMARY_CHARS_MAX)}`;
  const reply = replyTo === undefined ? "" : ` in reply to ${replyTo}`;
  return `${type} ${JSON.stringify(payload).slice(0, SUMMARY_CHARS_MAX)}${reply}`;
}
