import { fromBase64, fromUtf8, toBase64 } from "../../base/bytes.ts";
import { parseJson, type Json } from "../../base/json.ts";
import { sha256 } from "../../crypto/primitives.ts";
import { readContentDigest } from "../../protocol/content-digest.ts";
import { openResult } from "../../stmf/task-result.ts";
import { Api, type Fetch } from "../http/api.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import { identityFrom, type PrivateKey } from "../keys.ts";
import type { Task } from "./task.ts";

/**
 * Reads a task's result from a response, and opens it if it is sealed. Throws `OptionsError` if the key is missing or does
 * not open it, `MusterApiError` if its digest does not match or it is not JSON.
 */
export async function readResult(response: Response, privateKey?: PrivateKey): Promise<Json> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const digest = readContentDigest(response.headers.get("content-digest") ?? "");
  if (digest !== undefined && digest !== toBase64(sha256(bytes)))
    throw unreadable("the result does not match its digest");
  const sealed = response.headers.get("content-type")?.startsWith("application/json") !== true;
  return jsonOf(sealed ? open(bytes, privateKey) : bytes);
}

export interface ShownResult {
  /** The mesh's base URL. */
  readonly url: string;
  readonly fetch: Fetch;
  readonly task: Task;
  /** The download ticket that came with the task; undefined if the result is in the task itself. */
  readonly ticket: string | undefined;
  readonly privateKey: PrivateKey | undefined;
}

/** The result of a task that the mesh sent over a session: inline, or downloaded by its ticket. Throws as `readResult`. */
export async function fetchResult({
  url,
  fetch,
  task,
  ticket,
  privateKey,
}: ShownResult): Promise<Json> {
  if (ticket !== undefined) {
    const api = new Api({ url, token: ticket, fetch, random: Math.random });
    return readResult(await api.response({ path: `v1/task-results/${task.id}` }), privateKey);
  }
  if (!task.result_sealed) return task.result;
  const container = typeof task.result === "string" ? fromBase64(task.result) : null;
  if (container === null) throw unreadable("the sealed result is not base64");
  return jsonOf(open(container, privateKey));
}

function jsonOf(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes);
  const result = text === null ? undefined : parseJson(text, Number.POSITIVE_INFINITY);
  if (result === undefined) throw unreadable("the result is not JSON");
  return result;
}

function open(container: Uint8Array, privateKey: PrivateKey | undefined): Uint8Array {
  const json =
    privateKey === undefined ? null : openResult(container, identityFrom(privateKey).privateKey);
  if (json === null)
    throw new OptionsError(
      "the result is sealed: pass the private key of the public key that the task was submitted with",
    );
  return json;
}

const unreadable = (detail: string): MusterApiError =>
  new MusterApiError("invalid_response", 200, detail);
