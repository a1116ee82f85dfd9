import { TaskError } from "../errors.ts";

/** What is reported of a value that was thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error && thrown.message !== "" ? thrown.message : String(thrown);

/**
 * Whether the mesh tries again. By the error's name, too: a program may contain the SDK twice, for example in its bundle
 * and in that of its handlers.
 */
export function retryOf(thrown: unknown): boolean {
  if (thrown instanceof TaskError) return thrown.retry;
  const { name, retry } = Object(thrown) as { readonly name?: unknown; readonly retry?: unknown };
  return name !== "TaskError" || retry !== false;
}
