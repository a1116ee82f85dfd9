import { toBase64, type Bytes } from "../../base/bytes.ts";
import { sha256 } from "../../crypto/primitives.ts";
import { contentDigest } from "../../protocol/content-digest.ts";
import { MusterApiError } from "../errors.ts";
import { Api, type Fetch } from "../http/api.ts";
import { UPLOAD_TIMEOUT } from "../timings.ts";
import { messageOf } from "./thrown.ts";

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

type UploadOutcome =
  | { readonly is: "committed" }
  /** Another peer holds the task now, or this upload was committed and its answer was lost. Either way: nothing to send. */
  | { readonly is: "lost"; readonly reason: string }
  | { readonly is: "failed"; readonly reason: string };

/** Runs an upload; never throws. */
export async function uploadOutcome(
  run: (upload: Upload) => Promise<void>,
  upload: Upload,
): Promise<UploadOutcome> {
  try {
    await run(upload);
    return { is: "committed" };
  } catch (error) {
    const isLost = error instanceof MusterApiError && error.code === "lease_lost";
    return { is: isLost ? "lost" : "failed", reason: messageOf(error) };
  }
}
