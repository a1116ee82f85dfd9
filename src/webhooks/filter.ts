import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { WebhookFilter } from "../protocol/http.ts";
import { parsePath, type JsonPath } from "./json-path.ts";
import type { HeaderReader } from "./scheme.ts";
import type { SelectedValues } from "./selection/json-selector.ts";

/** The result of one filter for an event. */
export interface FilterResult {
  readonly filter: WebhookFilter;
  readonly holds: boolean;
  /** The value at the filter's place; null if there is none. */
  readonly found: Json;
}

/** Checks that the filters are usable: their paths parse, and headers are compared with strings. */
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
  const message = "a header can only be compared with a string";
  if (header === undefined) return null;
  if (equals !== undefined && typeof equals !== "string") return { path: "equals", message };
  if (one_of?.every((one) => typeof one === "string") === false) return { path: "one_of", message };
  return null;
}

export const evaluateFilters = (
  filters: readonly WebhookFilter[],
  headers: HeaderReader,
  event: SelectedValues,
): readonly FilterResult[] =>
  filters.map((filter) => {
    const found = foundBy(filter, headers, event);
    return { filter, holds: found !== undefined && holds(filter, found), found: found ?? null };
  });

/** Describes the first filter that excludes the event; null if none does. */
export function exclusionOf(verdicts: readonly FilterResult[]): string | null {
  const failed = verdicts.findIndex((verdict) => !verdict.holds);
  const filter = verdicts[failed]?.filter;
  if (filter === undefined) return null;
  const place = filter.header === undefined ? filter.path : `header ${filter.header}`;
  return `filters.${failed}: ${place} does not match this filter`;
}

/** The paths that filters read of an event. */
export const filteredPaths = (filters: readonly WebhookFilter[]): readonly JsonPath[] =>
  filters.flatMap(({ path }) => {
    const parsed = path === undefined ? null : parsePath(path);
    return parsed?.ok === true ? [parsed.value] : [];
  });

/** A value that was too large to be kept equals nothing that a filter may have, and matches no pattern. */
function foundBy(
  filter: WebhookFilter,
  headers: HeaderReader,
  event: SelectedValues,
): Json | undefined {
  if (filter.header !== undefined) return headers.get(filter.header) ?? undefined;
  const [path] = filteredPaths([filter]);
  const selected = path === undefined ? undefined : event.find(path, "compared");
  return selected ? (JSON.parse(selected.text) as Json) : undefined;
}

function holds({ equals, one_of, matches }: WebhookFilter, found: Json): boolean {
  if (equals !== undefined) return found === equals;
  if (one_of !== undefined) return one_of.some((one) => one === found);
  return typeof found === "string" && matches !== undefined && matchesPattern(matches, found);
}

/** A longer text never matches. With the limit of the pattern's length, a match takes at most a million steps. */
const TEXT_CHARS_MAX = 4_096;

/**
 * Whether the whole text matches the pattern: `*` matches any characters, `?` matches one. Backtracking only to the newest
 * `*` is sufficient, because it can match whatever an earlier one could; so the time is at most the length of the pattern times
 * the length of the text.
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
