import { fromBase64, fromUtf8, toBase64, toHex, type Bytes } from "../../base/bytes.ts";
import type { Json } from "../../base/json.ts";
import { isJson } from "../../base/json-text/scan-json.ts";
import { sha256 } from "../../crypto/primitives/hashes.ts";
import { downloadKey, downloadTicket, readResultSecret } from "../../crypto/result-tickets.ts";
import { openBytes, sealedBytes } from "../../crypto/sealed-stream.ts";
import type { ResultStatement, Verifier } from "../../discovery/signed-statements.ts";
import { TASK_LARGE_RESULT_BYTES_MAX } from "../../protocol/constants.ts";
import { readContentDigest } from "../../protocol/content-digest.ts";
import { RESULT_FENCE_HEADER, RESULT_SIGNATURE_HEADER } from "../../protocol/result-headers.ts";
import { Api, type Content, type Fetch } from "../http/api.ts";
import { MusterApiError, OptionsError } from "../errors.ts";
import { identityFrom, type PrivateKey } from "../own-keys.ts";
import type { FetchOptions } from "./run-task.ts";
import type { Task } from "./task.ts";

export interface ExpectedResult {
  readonly taskId: string;
  /** Verifies the mesh's signature; undefined when the caller has not pinned the mesh's key. */
  readonly verifier: Verifier | undefined;
}

/**
 * Reads the text of a task's result from an answer, and opens it if it is sealed. Throws `OptionsError` if the key is missing or does
 * not open it, `MusterApiError` if its digest does not match, it is not signed by the pinned mesh, or it is not JSON.
 */
export async function readResult(
  content: Content,
  { privateKey, ...expected }: ExpectedResult & { readonly privateKey: PrivateKey | undefined },
): Promise<string> {
  const { bytes, sealed } = await readContent(content, expected);
  return jsonTextOf(sealed ? await open(bytes, privateKey) : bytes);
}

/** The same as a task shows it: a sealed result stays sealed, in base64. */
export async function readShownResult(
  content: Content,
  expected: ExpectedResult,
): Promise<Pick<Task, "result" | "result_text" | "result_sealed">> {
  const { bytes, sealed } = await readContent(content, expected);
  const text = sealed ? JSON.stringify(toBase64(bytes)) : jsonTextOf(bytes);
  return { result: JSON.parse(text) as Json, result_text: text, result_sealed: sealed };
}

async function readContent(
  { headers, bytes }: Content,
  { taskId, verifier }: ExpectedResult,
): Promise<{ readonly bytes: Bytes; readonly sealed: boolean }> {
  const digest = toBase64(sha256(bytes));
  if (digest !== readContentDigest(headers.get("content-digest") ?? ""))
    throw unreadable("the result does not match its digest");
  const sealed = headers.get("content-type")?.startsWith("application/json") !== true;
  const fence = Number(headers.get(RESULT_FENCE_HEADER));
  const said = { task_id: taskId, fence, bytes: bytes.length, sha256: digest, sealed };
  if (verifier !== undefined) await checkSignature(verifier, said, headers);
  return { bytes, sealed };
}

async function checkSignature(verifier: Verifier, said: ResultStatement, headers: Headers) {
  const signature = headers.get(RESULT_SIGNATURE_HEADER) ?? "";
  if (!(await verifier.result({ ...said, signature })))
    throw unreadable("the result is not signed by the mesh whose key is pinned");
}

export interface ShownResult {
  /** The mesh's base URL. */
  readonly url: string;
  readonly fetch: Fetch;
  readonly task: Task;
  /** The secret that came with the task; undefined if the result is in the task itself. */
  readonly secret: string | undefined;
  readonly privateKey: PrivateKey | undefined;
  readonly fetched: FetchOptions;
}

/**
 * The text of the result of a task that the mesh sent over a session: inline, or downloaded, sealed with the secret that came over the session
 * and compared with the digest that did. Throws as `readResult`.
 */
export async function fetchResult(shown: ShownResult): Promise<string> {
  const { task, secret, privateKey } = shown;
  if (secret !== undefined) {
    const content = await download(shown, secret);
    return jsonTextOf(task.result_sealed ? await open(content, privateKey) : content);
  }
  if (!task.result_sealed) return task.result_text;
  const container = typeof task.result === "string" ? fromBase64(task.result) : null;
  if (container === null) throw unreadable("the sealed result is not base64");
  return jsonTextOf(await open(container, privateKey));
}

async function download({ url, fetch, task, fetched }: ShownResult, text: string): Promise<Bytes> {
  const secret = readResultSecret(text);
  if (secret === null) throw unreadable("the task came without a secret for its result");
  const api = new Api({ url, token: downloadTicket(secret), fetch, random: Math.random });
  const request = { path: `v1/task-results/${task.id}`, ...fetched };
  const { bytes } = await api.content(request, sealedBytes(TASK_LARGE_RESULT_BYTES_MAX));
  const content = await openBytes(bytes, downloadKey(secret));
  if (content === null) throw unreadable("the result was not sealed by the mesh for this task");
  if (content.length === task.result_bytes && toBase64(sha256(content)) === task.result_sha256)
    return content;
  throw unreadable("the result does not match the digest that the mesh sent over the session");
}

function jsonTextOf(bytes: Uint8Array): string {
  const text = fromUtf8(bytes);
  if (text === null || !isJson(text)) throw unreadable("the result is not JSON");
  return text;
}

/** The public key, in hex, to which a result is sealed that this key opens. Throws an `OptionsError` if the key is not valid. */
export const sealingKeyOf = (privateKey: PrivateKey): string =>
  toHex(identityFrom(privateKey).publicKey);

async function open(
  container: Uint8Array,
  privateKey: PrivateKey | undefined,
): Promise<Uint8Array> {
  const { openResult } = await import("../../stmf/task-result.ts");
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
