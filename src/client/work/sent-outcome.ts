import type { ResultContent } from "../../protocol/result-content.ts";
import type { PeerEvent } from "../peer/peer-events.ts";
import type { Outcome } from "./attempt-outcome.ts";
import type { Refusal } from "./mesh-answers.ts";
import type { Report } from "./unconfirmed-results.ts";

/** An outcome as it is sent in a message: a large result was uploaded before, and the message names its bytes. */
export type SentOutcome = Exclude<Outcome, { large: unknown }> | UploadedOutcome;

interface UploadedOutcome {
  readonly ok: true;
  readonly result: null;
  readonly uploaded: ResultContent;
  readonly sealed?: true;
}

export const uploadedOutcome = (uploaded: ResultContent, sealed: boolean): UploadedOutcome => ({
  ok: true,
  result: null,
  uploaded,
  ...(sealed && { sealed }),
});

/** How an attempt has ended, for the program: the mesh has committed what was reported, or not (`refusal`). */
export function endEvent({ message, kind }: Report, refusal: Refusal | null): PeerEvent {
  const task = { taskId: message.task_id, kind };
  if (refusal !== null) return { type: "task_cancelled", ...task, reason: refusal.reason };
  if (message.ok) return { type: "task_succeeded", ...task };
  const { error, retry = true } = message;
  return { type: "task_failed", ...task, error, retry };
}

/**
 * What a peer reports when the mesh has refused an uploaded result because it does not have the bytes: the attempt, which is still
 * this peer's, has failed. Null for any other refusal.
 */
export function lostUpload({ message, kind }: Report, { code, reason }: Refusal): Report | null {
  const isLost = message.ok && message.uploaded !== undefined;
  if (!isLost || code === null || code === "lease_lost") return null;
  const { task_id, fence } = message;
  return { message: { task_id, fence, ok: false, error: reason, retry: true }, kind };
}
