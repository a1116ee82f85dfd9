import { toBase64, type Bytes } from "../base/bytes.ts";
import { sha256 } from "../crypto/primitives.ts";
import { apiErrorOf, type Fetch } from "./api.ts";
import { MusterApiError } from "./errors.ts";
import { withRetries } from "./retry.ts";
import { UPLOAD_TIMEOUT } from "./timings.ts";
import { apiBase } from "./urls.ts";

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
export const uploadResult = (url: string, fetch: Fetch, upload: Upload): Promise<void> =>
  withRetries(() => once(url, fetch, upload), Math.random, upload.signal);

async function once(url: string, fetch: Fetch, upload: Upload): Promise<void> {
  const { taskId, fence, ticket, bytes, sealed, signal } = upload;
  let response: Response;
  try {
    response = await fetch(new URL(`v1/task-results/${taskId}/${fence}`, apiBase(url)).href, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${ticket}`,
        "content-digest": `sha-256=:${toBase64(sha256(bytes))}:`,
        "content-type": sealed ? "application/octet-stream" : "application/json",
      },
      redirect: "manual",
      body: bytes,
      signal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new MusterApiError("unreachable", 0, "the mesh does not answer", { cause: error });
  }
  if (!response.ok) throw await apiErrorOf(response);
}
