import { toBase64, type Bytes } from "../../base/bytes.ts";
import { sha256 } from "../../crypto/primitives.ts";
import { contentDigest } from "../../protocol/content-digest.ts";
import { Api, type Fetch } from "../http/api.ts";
import { UPLOAD_TIMEOUT } from "../timings.ts";

export interface Upload {
  readonly taskId: string;
  readonly fence: number;
  /** The ticket that came with the offer. */
  readonly ticket: string;
  readonly bytes: Bytes;
  readonly sealed: boolean;
  readonly signal: AbortSignal;
}

/**
 * Brings a result that is too large for a message to the mesh, over HTTP; it is committed when this settles. Throws
 * `MusterApiError`: `lease_lost` when another has the task by now.
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
