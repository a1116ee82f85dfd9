import { textOfJson } from "../base/json-text/json-text.ts";
import type { Task } from "../tasks/task.ts";

/** Characters of a payload or a result up to which a task is kept in memory. */
const SMALL_CHARS_MAX = 2_048;

/** Whether a task may be kept in memory. */
export const isSmall = ({ payload, result }: Task): boolean =>
  textOfJson(payload).length <= SMALL_CHARS_MAX && textOfJson(result).length <= SMALL_CHARS_MAX;
