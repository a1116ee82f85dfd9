import type { Millis } from "../../base/clock.ts";
import type { ExactJson } from "../../base/json-text/json-text.ts";
import type { PayloadRef } from "../../protocol/messages.ts";
import { failedTransfer, type FailedTransfer } from "./failed-transfer.ts";
import type { Run } from "./runs.ts";

/** A payload that did not fit its offer. */
export interface Download {
  readonly taskId: string;
  readonly fence: number;
  /** The secret that came with the offer. */
  readonly secret: string;
  readonly ref: PayloadRef;
  /** The fetch goes on while the mesh gives no answer, for this long. */
  readonly outageMs: Millis;
  readonly signal: AbortSignal;
}

type PayloadOutcome = { readonly is: "read"; readonly payload: ExactJson } | FailedTransfer;

/** Fetches the payload of a run that was offered by reference; null if its attempt has ended meanwhile. Never throws. */
export async function payloadOf(
  run: Run,
  offered: Pick<Download, "ref" | "outageMs">,
  { download, isCurrent }: PayloadPorts,
): Promise<PayloadOutcome | null> {
  for (;;) {
    const { taskId, fence, secret = "", abort } = run;
    const asked = { ...offered, taskId, fence, secret, signal: abort.signal };
    const outcome = await payloadOutcome(download, asked);
    if (!isCurrent(run)) return null;
    // `fence`: a newer attempt has taken over meanwhile, so the fetch goes on under its own. The payload is the same.
    if (outcome.is === "read" || run.fence === fence) return outcome;
  }
}

interface PayloadPorts {
  readonly download: (download: Download) => Promise<ExactJson>;
  readonly isCurrent: (run: Run) => boolean;
}

async function payloadOutcome(
  download: PayloadPorts["download"],
  asked: Download,
): Promise<PayloadOutcome> {
  try {
    return { is: "read", payload: await download(asked) };
  } catch (error) {
    return failedTransfer(error, "the payload could not be read");
  }
}
