import { isJsonObject, JSON_DEPTH_MAX } from "../base/json.ts";
import { toJsonText } from "../base/json-text/json-text.ts";
import { ExactMembers, readJson, readMember } from "../base/json-text/read-json.ts";
import { err, type Result } from "../base/result.ts";
import { readShape } from "../base/shape/read-shape.ts";
import type { Envelope } from "./envelope.ts";
import type { SessionFault } from "./errors.ts";
import { Envelope as EnvelopeShape } from "./shapes/messages.ts";

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
  const envelope = readShape(EnvelopeShape, json);
  return envelope.ok ? envelope : err({ code: "bad_message", detail: envelope.error });
}

/** The JSON of a message of any protocol, with its `JsonText`; undefined when the text is not JSON. */
export function parseMessage(text: string): unknown {
  const json = readJson(text, EXACT_MEMBERS, LIMITS);
  if (!json.ok) return undefined;
  if (!isJsonObject(json.value)) return json.value;
  const message = json.value as Record<string, unknown>;
  const { type } = message;
  // An object with a `toString` of its own can't be made a text.
  if (typeof type !== "string" || !FREE_TYPES.has(type)) return message;
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
