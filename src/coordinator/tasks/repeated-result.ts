import type { TaskResult } from "../../protocol/messages.ts";
import type { Context } from "../kernel/context.ts";

/**
 * Whether this attempt ended by the same kind of result of the same peer before: the peer sends a result again when its
 * connection broke before it was confirmed.
 */
export function isRepeated(
  { registry }: Context,
  peerId: string,
  { task_id: taskId, fence, ok }: TaskResult,
): boolean {
  const attempt = registry.attempts.get(taskId, fence);
  return attempt?.peerId === peerId && attempt.state === (ok ? "succeeded" : "failed");
}
