/** Characters of an error that are read, and of the reason that is made of it. */
const ERROR_READ = 240;
const REASON_CHARS_MAX = 160;

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
/** At least 8 hex digits with a letter and a number among them: `defaced` is a word. */
const HEX = /\b(?:0x)?(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi;
const NUMBER = /\d+(?:[.,:]\d+)*/g;

/**
 * An error without what differs from task to task, by which failures are grouped: IDs, hexadecimal digits and numbers are
 * replaced by `<id>`, `<hex>` and `<n>`.
 */
export const failureReason = (error: string): string =>
  error
    .slice(0, ERROR_READ)
    .replace(UUID, "<id>")
    .replace(HEX, "<hex>")
    .replace(NUMBER, "<n>")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, REASON_CHARS_MAX)
    .toWellFormed()
    .trimEnd();
