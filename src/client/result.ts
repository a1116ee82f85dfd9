import { fromUtf8, toBase64 } from "../base/bytes.ts";
import { parseJson, type Json } from "../base/json.ts";
import { sha256 } from "../crypto/primitives.ts";
import { openResult } from "../stmf/task-result.ts";
import { MusterApiError, OptionsError } from "./errors.ts";
import { identityFrom, type PrivateKey } from "./keys.ts";

/** Body digests as RFC 9530 has them; the mesh sends this one. */
const DIGEST = /^sha-256=:([A-Za-z0-9+/=]+):$/;

/**
 * The JSON of an answer that is a task's result. Throws `OptionsError` when it is sealed and this key does not open it,
 * `MusterApiError` when its bytes are not what the mesh was given, or no JSON.
 */
export async function resultOf(response: Response, privateKey?: PrivateKey): Promise<Json> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const digest = DIGEST.exec(response.headers.get("content-digest") ?? "")?.[1];
  if (digest !== undefined && digest !== toBase64(sha256(bytes)))
    throw unreadable(response, "the result was changed on its way");
  const sealed = response.headers.get("content-type")?.startsWith("application/json") !== true;
  const text = fromUtf8(sealed ? opened(bytes, privateKey) : bytes);
  const result = text === null ? undefined : parseJson(text, Number.POSITIVE_INFINITY);
  if (result === undefined) throw unreadable(response, "the result is no JSON");
  return result;
}

function opened(container: Uint8Array, privateKey: PrivateKey | undefined): Uint8Array {
  const json =
    privateKey === undefined ? null : openResult(container, identityFrom(privateKey).privateKey);
  if (json === null) throw new OptionsError("the result is sealed, and this key does not open it");
  return json;
}

const unreadable = ({ status }: Response, detail: string): MusterApiError =>
  new MusterApiError("invalid_response", status, detail);
