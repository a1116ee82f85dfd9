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
 * The JSON of an answer that is a task's result. Throws `OptionsError` when it is sealed and this key does not open it,
 * `MusterApiError` when its bytes are not what the mesh was given, or no JSON.
 */
export async function readResult(response: Response, privateKey?: PrivateKey): Promise<Json> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const digest = readContentDigest(response.headers.get("content-digest") ?? "");
  if (digest !== undefined && digest !== toBase64(sha256(bytes)))
    throw unreadable("the result was changed on its way");
  const sealed = response.headers.get("content-type")?.startsWith("application/json") !== true;
  return jsonOf(sealed ? opened(bytes, privateKey) : bytes);
}

export interface Fetched {
  /** The mesh's base URL. */
  readonly url: string;
  readonly fetch: Fetch;
  readonly task: Task;
  /** What the mesh showed the task with. */
  readonly ticket: string | undefined;
  readonly privateKey: PrivateKey | undefined;
}

/** The result of a task that was shown over a session: what stands in it, or what the ticket fetches. Throws as above. */
export async function fetchResult({
  url,
  fetch,
  task,
  ticket,
  privateKey,
}: Fetched): Promise<Json> {
  if (ticket !== undefined) {
    const api = new Api({ url, token: ticket, fetch, random: Math.random });
    return readResult(await api.response({ path: `v1/task-results/${task.id}` }), privateKey);
  }
  if (!task.result_sealed) return task.result;
  const container = typeof task.result === "string" ? fromBase64(task.result) : null;
  if (container === null) throw unreadable("the sealed result is no base64");
  return jsonOf(opened(container, privateKey));
}

function jsonOf(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes);
  const result = text === null ? undefined : parseJson(text, Number.POSITIVE_INFINITY);
  if (result === undefined) throw unreadable("the result is no JSON");
  return result;
}

function opened(container: Uint8Array, privateKey: PrivateKey | undefined): Uint8Array {
  const json =
    privateKey === undefined ? null : openResult(container, identityFrom(privateKey).privateKey);
  if (json === null) throw new OptionsError("the result is sealed, and this key does not open it");
  return json;
}

const unreadable = (detail: string): MusterApiError =>
  new MusterApiError("invalid_response", 200, detail);
