import { SECOND } from "../../base/clock.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { ResultContent } from "../../protocol/result-content.ts";
import { MusterApiError } from "../errors.ts";
import { delayFor } from "../http/request-retry.ts";
import { ANSWER_RETRY_AFTER_MAX, ANSWER_RETRY_CAP } from "../timings.ts";
import { failedTransfer, type FailedTransfer } from "./failed-transfer.ts";
import type { Run } from "./runs.ts";

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
  /** The disk of the mesh was full: the result is worth another try, until the attempt's time is over. */
  | { readonly is: "again" }
  | FailedTransfer;

/** Uploads the result of a run; null if its attempt has ended meanwhile. Never throws. */
export async function uploadOf(
  run: Run,
  bytes: Bytes,
  { upload, isCurrent }: UploadPorts,
): Promise<Exclude<UploadOutcome, { is: "again" }> | null> {
  for (;;) {
    const { taskId, fence, secret = "", abort } = run;
    const outcome = await uploadOutcome(upload, {
      taskId,
      fence,
      secret,
      bytes,
      signal: abort.signal,
    });
    if (!isCurrent(run)) return null;
    if (outcome.is === "stored") return outcome;
    // `fence`: a newer attempt has taken over the work meanwhile, so upload again under its own.
    if (outcome.is !== "again" && run.fence === fence) return outcome;
  }
}

interface UploadPorts {
  readonly upload: (upload: Upload) => Promise<ResultContent>;
  readonly isCurrent: (run: Run) => boolean;
}

async function uploadOutcome(run: UploadPorts["upload"], upload: Upload): Promise<UploadOutcome> {
  try {
    return { is: "stored", content: await run(upload) };
  } catch (error) {
    if (error instanceof MusterApiError && error.code === "storage_full") {
      const pause = Math.min((error.retryAfter ?? 0) * SECOND, ANSWER_RETRY_AFTER_MAX);
      await delayFor(ANSWER_RETRY_CAP + pause, upload.signal).catch(() => {}); // the attempt has ended
      return { is: "again" };
    }
    return failedTransfer(error);
  }
}
