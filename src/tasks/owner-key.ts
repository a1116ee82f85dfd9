import type { Task } from "./task.ts";

/**
 * Who caused a task, as one who can lose the right to: the ID of a token or a peer, or `webhook:` and the name of the source whose
 * delivery became the task (its owner is the operator).
 */
export const ownerKeyOf = ({ owner, source }: Pick<Task, "owner" | "source">): string =>
  source.startsWith(WEBHOOK_SOURCE) ? source : owner;

export const WEBHOOK_SOURCE = "webhook:";

/** Whether an owner is a peer: those of tokens are shorter, and those of sources have a colon. */
export const isPeerOwner = (ownerKey: string): boolean => /^[0-9a-f]{32}$/.test(ownerKey);

/** Why the tasks of an owner that was ended are cancelled, as their `error` says it. */
export const endReasonOf = (ownerKey: string): string =>
  ownerKey.startsWith(WEBHOOK_SOURCE) ? "webhook source removed" : "owner revoked";
