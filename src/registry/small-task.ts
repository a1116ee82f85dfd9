import type { Json } from "../base/json.ts";
import type { Task } from "../tasks/task.ts";

/** Characters, and parts, of a payload or a result up to which a task is kept in memory. */
const SMALL_CHARS_MAX = 1_024;
const SMALL_PARTS_MAX = 64;

/** Whether a task may be kept in memory. */
export const isSmall = ({ payload, result }: Task): boolean => isShort(payload) && isShort(result);

/** Stops at the first part that is too much, so that a large value costs no more than a small one. */
function isShort(value: Json): boolean {
  let [parts, chars] = [0, 0];
  const waiting: Json[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++parts > SMALL_PARTS_MAX) return false;
    if (typeof next === "string") chars += next.length;
    else if (typeof next === "object" && next !== null)
      for (const [key, part] of Object.entries(next)) {
        chars += key.length;
        if (waiting.push(part) > SMALL_PARTS_MAX) return false;
      }
    if (chars > SMALL_CHARS_MAX) return false;
  }
  return true;
}
