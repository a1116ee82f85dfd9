import type { Context } from "../kernel/context.ts";
import type { StoredRun } from "./spans.ts";

/** What is stored of a task for its spans; null for one that was removed. */
export function storedRun({ registry }: Pick<Context, "registry">, id: string): StoredRun | null {
  const task = registry.tasks.withoutContents(id);
  if (task === null) return null;
  const { uploadBegunAt, bytes } = registry.taskResults.get(id);
  return {
    task,
    attempts: registry.attempts.of(id),
    callback: registry.callbacks.get(id),
    upload:
      uploadBegunAt === null || bytes === null || task.state !== "succeeded"
        ? null
        : { begunAt: uploadBegunAt, bytes },
  };
}
