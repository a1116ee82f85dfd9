import type { Task } from "./task.ts";

/**
 * Who caused a task, as one who can lose the right to: the ID of a token or a peer, or `webhook:` and the name of the source whose
 * delivery became the task (its owner is the operator).
 */
export const ownerKeyOf = ({ owner, source }: Pick<Task, "owner" | "source">): string =>
  source.startsWith(WEBHOOK_SOURCE) ? source : owner;

export const WEBHOOK_SOURCE = "webhook:";

/** Why the tasks of an owner that was ended are cancelled, as their `error` says it. */
export const endReasonOf = (ownerKey: string): string =>
  ownerKey.startsWith(WEBHOOK_SOURCE) ? "webhook source removed" : "owner revoked";
