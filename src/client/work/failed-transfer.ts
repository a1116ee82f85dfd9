import { MusterApiError } from "../errors.ts";
import { messageOf } from "./thrown.ts";

/** Why the payload of an attempt was not fetched, or its result not uploaded. */
export type FailedTransfer =
  /** The attempt has ended, perhaps because another peer holds the task now: there is nothing to send. */
  | { readonly is: "lost"; readonly reason: string }
  | { readonly is: "failed"; readonly reason: string };

/** `what`: what has failed, for the mesh. */
export function failedTransfer(error: unknown, what?: string): FailedTransfer {
  const isLost = error instanceof MusterApiError && error.code === "lease_lost";
  const reason = messageOf(error);
  if (isLost) return { is: "lost", reason };
  return { is: "failed", reason: what === undefined ? reason : `${what}: ${reason}` };
}
