import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { textOfJson, type ExactJson } from "../base/json-text/json-text.ts";
import { TASK_ERROR_CHARS_MAX } from "../protocol/constants.ts";
import { ErrorMessage, GO_P2P_REPLIES, type GoP2pRequest } from "../protocol/messages.ts";

/** What a go-p2p node's reply means for the attempt at the task that the request carried. */
export type ReplyOutcome =
  | { readonly ok: true; readonly result: ExactJson }
  /** `retry`: whether another peer may succeed. */
  | { readonly ok: false; readonly error: string; readonly retry: boolean };

/**
 * The outcome of a reply; null when it has not the type that answers the request. An acknowledgement with `success: false` is a
 * failure, as an `error` is: go-p2p's own Controller treats both so.
 */
export function replyOutcome(
  request: GoP2pRequest,
  { type, payload }: { readonly type: string; readonly payload: unknown },
): ReplyOutcome | null {
  if (type === "error") return errorOutcome(ErrorMessage.parse(payload));
  if (type !== GO_P2P_REPLIES[request]) return null;
  const result = payload as ExactJson;
  const value = JSON.parse(textOfJson(result)) as Json;
  // A Go node writes each reply as an object: anything else did not come from its handler.
  if (!isJsonObject(value)) return failure(`the ${type} is not an object`, true);
  const isAck = type === "miner_ack" || type === "deploy_ack";
  const failed = isAck ? ackFailure(type, value) : null;
  return failed ?? { ok: true, result };
}

/** The failure that an acknowledgement reports; null if it reports success. Go always writes `success`. The reason speaks of the node's own miners and disk, so another peer may succeed. */
function ackFailure(type: string, ack: JsonObject): ReplyOutcome | null {
  if (ack["success"] === true) return null;
  const { error } = ack;
  const reason = typeof error === "string" && error !== "" ? error : "no reason given";
  return failure(`${type}: ${reason}`, true);
}

/**
 * Codes of both generations that say that the request itself is wrong, which it is at every node: generation 1's "invalid message"
 * and generation 2's "invalid config". All others speak of the node: what it does not have, does not run, may not do, or could not
 * do. "Operation failed" (1004, 4) is among them, although a late node of generation 2 uses it for a payload that it can't read,
 * too: a node of another generation reads that payload.
 */
const FINAL_CODES: ReadonlySet<number> = new Set([1001, 5]);

const errorOutcome = ({ code, message }: { readonly code: number; readonly message: string }) =>
  failure(`${code}: ${message}`, !FINAL_CODES.has(code));

const failure = (error: string, retry: boolean): ReplyOutcome => ({
  ok: false,
  // Half a surrogate pair at the cut would be no text.
  error: error.slice(0, TASK_ERROR_CHARS_MAX).toWellFormed(),
  retry,
});
