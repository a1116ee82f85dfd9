import type { z } from "zod";
import type { WebhookFilter } from "../../protocol/http.ts";
import { UsageError } from "../failure.ts";

type Filter = z.input<typeof WebhookFilter>;

const HEADER = /^header:(?<place>[A-Za-z0-9-]{1,100})(?<test>[=~])(?<value>.*)$/s;
/** A JSON path may contain both signs in a quoted name: `$['a=b']`. */
const PATH = /^(?<place>\$(?:[^=~[]|\[(?:'[^']*'|"[^"]*"|[^\]'"]*)\])*)(?<test>[=~])(?<value>.*)$/s;

const FORMS =
  "write header:NAME=VALUE, header:NAME~PATTERN, PATH=VALUE or PATH~PATTERN, for example header:x-github-event=push or $.ref~refs/heads/*";

/**
 * A filter from the value of `--filter`. `=` compares: with a text, with a JSON value if it is one (only for a path, as headers are
 * texts), or with each element of a JSON array. `~` matches a pattern.
 */
export function readFilter(text: string): Filter {
  const header = HEADER.exec(text)?.groups;
  const found = header ?? PATH.exec(text)?.groups;
  if (found === undefined) throw new UsageError(`--filter does not understand "${text}"`, FORMS);
  const { place = "", test, value = "" } = found;
  const at = header === undefined ? { path: place } : { header: place.toLowerCase() };
  if (value === "" && test === "~")
    throw new UsageError(`--filter "${text}" has an empty pattern`, FORMS);
  if (test === "~") return { ...at, matches: value };
  const parsed = jsonOf(value);
  if (Array.isArray(parsed)) {
    if (parsed.length === 0 || parsed.some((each) => typeof each === "object" && each !== null))
      throw new UsageError(
        `--filter "${text}" compares with a list that is empty or has a list or an object in it`,
        'write one that has texts, numbers, true, false or null, for example $.action=["opened","reopened"]',
      );
    return { ...at, one_of: parsed as (string | number | boolean | null)[] };
  }
  if (header !== undefined || parsed === undefined) return { ...at, equals: value };
  if (typeof parsed === "object" && parsed !== null)
    throw new UsageError(`--filter "${text}" compares with an object`, FORMS);
  return { ...at, equals: parsed as string | number | boolean | null };
}

/** The same filter as the value of `--filter`. */
export function filterText({ header, path, equals, one_of, matches }: Filter): string {
  const place = path ?? `header:${header ?? ""}`;
  if (matches !== undefined) return `${place}~${matches}`;
  if (one_of !== undefined) return `${place}=${JSON.stringify(one_of)}`;
  if (typeof equals !== "string") return `${place}=${String(equals)}`;
  // A text that would be read as JSON needs its quotes.
  const isPlain = header !== undefined || jsonOf(equals) === undefined;
  return `${place}=${isPlain ? equals : JSON.stringify(equals)}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
