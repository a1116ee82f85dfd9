import { toBase64 } from "../../base/bytes.ts";
import { sha256 } from "../../crypto/primitives/hashes.ts";
import { platformRandom } from "../../crypto/primitives/random.ts";
import { readResultSecret, uploadKey, uploadTicket } from "../../crypto/result-tickets.ts";
import { sealBytes } from "../../crypto/sealed-stream.ts";
import type { ResultContent } from "../../protocol/result-content.ts";
import { MusterApiError } from "../errors.ts";
import { Api, type Fetch } from "../http/api.ts";
import { UPLOAD_TIMEOUT } from "../timings.ts";
import type { Upload } from "./upload-outcome.ts";

/**
 * Uploads a result that does not go in a message, over HTTP: sealed with the offer's secret, under a ticket for these bytes. Returns
 * what the peer has to name in its session, which commits it. Throws `MusterApiError`; code `lease_lost`: another peer holds the task.
 */
export async function uploadResult(
  url: string,
  fetch: Fetch,
  { taskId, fence, secret, bytes, signal }: Upload,
): Promise<ResultContent> {
  const shared = readResultSecret(secret);
  if (shared === null)
    throw new MusterApiError(
      "invalid_response",
      0,
      "the mesh's offer has no secret for an upload: update the mesh",
    );
  const content = { bytes: bytes.length, sha256: toBase64(sha256(bytes)) };
  const sealed = await sealBytes(bytes, uploadKey(shared), platformRandom);
  const api = new Api({ url, token: uploadTicket(shared, content), fetch, random: Math.random });
  await api.response({
    method: "PUT",
    path: `v1/task-results/${taskId}/${fence}`,
    content: { type: "application/octet-stream", bytes: sealed },
    timeout: UPLOAD_TIMEOUT,
    signal,
  });
  return content;
}
