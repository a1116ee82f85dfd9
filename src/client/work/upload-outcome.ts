import { SECOND } from "../../base/clock.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { ResultContent } from "../../protocol/result-content.ts";
import { MusterApiError } from "../errors.ts";
import { delayFor } from "../http/request-retry.ts";
import { ANSWER_RETRY_AFTER_MAX, ANSWER_RETRY_CAP } from "../timings.ts";
import { messageOf } from "./thrown.ts";

export interface Upload {
  readonly taskId: string;
  readonly fence: number;
  /** The secret that came with the offer. */
  readonly secret: string;
  readonly bytes: Bytes;
  readonly signal: AbortSignal;
}

type UploadOutcome =
  | { readonly is: "stored"; readonly content: ResultContent }
  /** Another peer holds the task now: there is nothing to send. */
  | { readonly is: "lost"; readonly reason: string }
  /** The disk of the mesh was full: the result is worth another try, until the attempt's time is over. */
  | { readonly is: "again" }
  | { readonly is: "failed"; readonly reason: string };

/** Runs an upload; never throws. */
export async function uploadOutcome(
  run: (upload: Upload) => Promise<ResultContent>,
  upload: Upload,
): Promise<UploadOutcome> {
  try {
    return { is: "stored", content: await run(upload) };
  } catch (error) {
    if (error instanceof MusterApiError && error.code === "storage_full") {
      const pause = Math.min((error.retryAfter ?? 0) * SECOND, ANSWER_RETRY_AFTER_MAX);
      await delayFor(ANSWER_RETRY_CAP + pause, upload.signal).catch(() => {}); // the attempt has ended
      return { is: "again" };
    }
    const isLost = error instanceof MusterApiError && error.code === "lease_lost";
    return { is: isLost ? "lost" : "failed", reason: messageOf(error) };
  }
}
