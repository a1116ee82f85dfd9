import { z } from "zod";
import { isJsonObject, JSON_DEPTH_MAX, type Json } from "../base/json.ts";
import {
  exactJson,
  exactJsonOf,
  JsonText,
  toJsonText,
  type ExactJson,
} from "../base/json-text/json-text.ts";
import { ExactMembers, readJson, readMember } from "../base/json-text/read-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SessionFault } from "./errors.ts";
import { Uuid } from "./ids.ts";

/** A JSON value, null when absent. The size and depth are already limited by the message or body that contains it. */
export const JsonValue = z
  .unknown()
  .optional()
  .transform((value) => (value ?? null) as Json);

/**
 * A JSON value of a caller or a peer, which keeps its text; null when absent. Whoever reads the message or the body puts a `JsonText` in
 * its place (`readJson`); of any other value `JSON.stringify` writes the text.
 */
export const ExactValue = z
  .unknown()
  .optional()
  .transform((value) =>
    value instanceof JsonText ? exactJson(value.text) : exactJsonOf(value ?? null),
  ) as unknown as z.ZodPipe<
  z.ZodOptional<z.ZodType<JsonText | Json, JsonText | Json>>,
  z.ZodTransform<ExactJson>
>;

/**
 * The envelope of every message, in both protocols (go-p2p's `Message`). `ts` is RFC 3339 and may carry nanoseconds
 * and an offset, as Go writes it. `type` accepts any short word, so that an unknown type can be answered by its ID.
 */
export const Envelope = z.object({
  id: Uuid,
  type: z.string().min(1).max(64),
  from: z.string().max(64),
  to: z.string().max(64),
  ts: z.iso.datetime({ offset: true }),
  payload: JsonValue,
  replyTo: z.string().max(64).optional(),
});
export type Envelope = z.infer<typeof Envelope>;

/** The payloads and results of tasks, in the messages that carry them. */
const EXACT_MEMBERS = new ExactMembers(
  ["payload", "payload"],
  ["payload", "result"],
  ["payload", "task", "payload"],
  ["payload", "task", "result"],
);
/** A message that shows a task has its payload and its result three levels deep, one more than an offer. */
const LIMITS = { maxDepth: JSON_DEPTH_MAX + 1 };

/**
 * Parses one message; `bad_message` when it is not JSON or not an envelope. The payloads and results of tasks in it are `JsonText`. So is
 * the whole payload of go-p2p's requests and replies, which is the payload or the result of a task.
 */
export function readEnvelope(text: string): Result<Envelope, SessionFault> {
  const json = parseMessage(text);
  if (json === undefined) return err({ code: "bad_message", detail: "the message is not JSON" });
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) return err({ code: "bad_message", detail: firstIssue(envelope.error) });
  return ok(envelope.data);
}

/** The JSON of a message of any protocol, with its `JsonText`; undefined when the text is not JSON. */
export function parseMessage(text: string): unknown {
  const json = readJson(text, EXACT_MEMBERS, LIMITS);
  if (!json.ok) return undefined;
  if (!isJsonObject(json.value as Json)) return json.value;
  const message = json.value as Record<string, unknown>;
  if (!FREE_TYPES.has(String(message["type"]))) return message;
  const payload = readMember(text, ["payload"], LIMITS);
  return { ...message, payload: payload === null ? null : toJsonText(payload) };
}

/** The types of go-p2p's messages whose payload is any JSON. */
const FREE_TYPES: ReadonlySet<string> = new Set([
  "get_stats",
  "stats",
  "start_miner",
  "stop_miner",
  "miner_ack",
  "deploy",
  "deploy_ack",
  "get_logs",
  "logs",
]);

/** The first issue that zod found, with its path, as one line. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid";
  const place = issue.path.map(String).join(".");
  return place === "" ? issue.message : `${place}: ${issue.message}`;
}
