import { fromUtf8, toBase64 } from "../../base/bytes.ts";
import { exactJson, type ExactJson } from "../../base/json-text/json-text.ts";
import { isJson } from "../../base/json-text/scan-json.ts";
import { sha256 } from "../../crypto/primitives/hashes.ts";
import { payloadKey, payloadTicket, readResultSecret } from "../../crypto/result-tickets.ts";
import { openBytes, sealedBytes } from "../../crypto/sealed-stream.ts";
import { MusterApiError } from "../errors.ts";
import { Api, type Fetch } from "../http/api.ts";
import type { Download } from "./payload-outcome.ts";

/**
 * Fetches the payload that did not fit its offer, over HTTP: sealed with the offer's secret, and compared with the digest that came over the
 * session. Throws `MusterApiError`; code `lease_lost`: the attempt has ended.
 */
export async function fetchPayload(
  url: string,
  fetch: Fetch,
  { taskId, fence, secret, ref, outageMs, signal }: Download,
): Promise<ExactJson> {
  const shared = readResultSecret(secret);
  if (shared === null) throw unreadable("the offer has no secret to fetch its payload with");
  const api = new Api({ url, token: payloadTicket(shared), fetch, random: Math.random });
  const request = { path: `v1/task-payloads/${taskId}/${fence}`, outageMs, signal };
  const { bytes } = await api.content(request, sealedBytes(ref.bytes));
  const payload = await openBytes(bytes, payloadKey(shared));
  if (payload === null) throw unreadable("the payload was not sealed by the mesh for this attempt");
  if (payload.length !== ref.bytes || toBase64(sha256(payload)) !== ref.sha256)
    throw unreadable("the payload does not match the digest of its offer");
  const text = fromUtf8(payload);
  if (text === null || !isJson(text)) throw unreadable("the payload is not JSON");
  return exactJson(text);
}

const unreadable = (detail: string): MusterApiError =>
  new MusterApiError("invalid_response", 200, detail);
