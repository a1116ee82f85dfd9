import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { WebhookFilter } from "../protocol/http.ts";
import { parsePath, select } from "./json-path.ts";
import type { HeaderReader } from "./scheme.ts";

/** How one filter judged an event. */
export interface FilterVerdict {
  readonly filter: WebhookFilter;
  readonly holds: boolean;
  /** What stands at its place; null when nothing does. */
  readonly found: Json;
}

/** Whether the filters can judge: their paths parse, and a header is compared with text. */
export function checkFilters(filters: readonly WebhookFilter[]): Result<void, ApiError> {
  const issues = filters.flatMap((filter, at) => {
    const issue = issueOf(filter);
    return issue === null ? [] : [{ ...issue, path: `filters.${at}.${issue.path}` }];
  });
  const [first] = issues;
  if (first === undefined) return ok(undefined);
  return err({ code: "invalid_request", detail: `${first.path}: ${first.message}`, issues });
}

function issueOf({ header, path, equals, one_of }: WebhookFilter) {
  const parsed = path === undefined ? null : parsePath(path);
  if (parsed?.ok === false) return { path: "path", message: parsed.error };
  const message = "a header is compared with text";
  if (header === undefined) return null;
  if (equals !== undefined && typeof equals !== "string") return { path: "equals", message };
  if (one_of?.every((one) => typeof one === "string") === false) return { path: "one_of", message };
  return null;
}

export const judgeFilters = (
  filters: readonly WebhookFilter[],
  headers: HeaderReader,
  event: Json,
): readonly FilterVerdict[] =>
  filters.map((filter) => {
    const found = foundBy(filter, headers, event);
    return { filter, holds: found !== undefined && holds(filter, found), found: found ?? null };
  });

/** Which filter left the event out, for people; null when none did. */
export function leftOutBy(verdicts: readonly FilterVerdict[]): string | null {
  const failed = verdicts.findIndex((verdict) => !verdict.holds);
  const filter = verdicts[failed]?.filter;
  if (filter === undefined) return null;
  const place = filter.header === undefined ? filter.path : `header ${filter.header}`;
  return `filters.${failed}: ${place} is not what it asks for`;
}

function foundBy(
  { header, path }: WebhookFilter,
  headers: HeaderReader,
  event: Json,
): Json | undefined {
  if (header !== undefined) return headers.get(header) ?? undefined;
  const parsed = parsePath(path ?? "");
  return parsed.ok ? select(parsed.value, event) : undefined;
}

function holds({ equals, one_of, matches }: WebhookFilter, found: Json): boolean {
  if (equals !== undefined) return found === equals;
  if (one_of !== undefined) return one_of.some((one) => one === found);
  return typeof found === "string" && matches !== undefined && matchesPattern(matches, found);
}

/** A longer text matches nothing: with this and the pattern's own bound a match costs a million steps at the most. */
const TEXT_CHARS_MAX = 4_096;

/**
 * Whether the whole text is of the pattern's form: `*` stands for any characters, `?` for any one. It goes back to the
 * newest `*` alone, for one text that an earlier one could take the newest can take, too: no pattern takes longer than
 * pattern times text.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  if (text.length > TEXT_CHARS_MAX) return false;
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
