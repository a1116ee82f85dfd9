import { toBase64, type Bytes } from "../../base/bytes.ts";
import { sha256 } from "../../crypto/primitives.ts";
import { contentDigest } from "../../protocol/content-digest.ts";
import { Api, type Fetch } from "../http/api.ts";
import { UPLOAD_TIMEOUT } from "../timings.ts";

export interface Upload {
  readonly taskId: string;
  readonly fence: number;
  /** The upload ticket that came with the offer. */
  readonly ticket: string;
  readonly bytes: Bytes;
  readonly sealed: boolean;
  readonly signal: AbortSignal;
}

/**
 * Uploads a result that is too large for a message, over HTTP. The result is committed when the promise resolves. Throws
 * `MusterApiError`; code `lease_lost`: another peer holds the task now.
 */
export async function uploadResult(url: string, fetch: Fetch, upload: Upload): Promise<void> {
  const { taskId, fence, ticket, bytes, sealed, signal } = upload;
  const api = new Api({ url, token: ticket, fetch, random: Math.random });
  await api.response({
    method: "PUT",
    path: `v1/task-results/${taskId}/${fence}`,
    headers: { "content-digest": contentDigest(toBase64(sha256(bytes))) },
    content: { type: sealed ? "application/octet-stream" : "application/json", bytes },
    timeout: UPLOAD_TIMEOUT,
    signal,
  });
}
