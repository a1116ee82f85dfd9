import { JSON_DEPTH_MAX, type Json } from "../base/json.ts";
import { exactJsonOf } from "../base/json-text/json-text.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { EventMapping, SubmitTask } from "../protocol/http.ts";
import { TaskKind } from "../protocol/messages.ts";
import { parsePath, select, type JsonPath } from "./json-path.ts";
import { checkPayload } from "./payload.ts";

/** The meaning of one string in a mapping: a literal, or the value that a path selects. */
type Term =
  | { readonly type: "literal"; readonly text: string }
  | { readonly type: "path"; readonly path: JsonPath };

interface Issue {
  readonly path: string;
  readonly message: string;
}

/** How many issues one answer lists; the others appear once these are fixed. */
const ISSUES_MAX = 10;
/** The longest path of an issue, which consists of member names from the request. */
const PLACE_CHARS_MAX = 200;

/**
 * Checks that a mapping is usable when its source is registered: every path parses, and a literal kind is valid. `place` is
 * the path of the mapping in the request, for the issues.
 */
export function checkMapping(mapping: EventMapping, place = "task"): Result<void, ApiError> {
  const issues = [
    ...kindIssues(mapping.kind, `${place}.kind`),
    ...payloadIssues(mapping.payload, `${place}.payload`, JSON_DEPTH_MAX),
    ...defaultIssues(mapping, `${place}.defaults`),
  ].slice(0, ISSUES_MAX);
  const [first] = issues;
  if (first === undefined) return ok(undefined);
  return err({ code: "invalid_request", detail: `${first.path}: ${first.message}`, issues });
}

function kindIssues(text: string, place: string): Issue[] {
  const term = readTerm(text);
  if (!term.ok) return [issueAt(place, term.error)];
  if (term.value.type === "path") return [];
  const kind = TaskKind.safeParse(term.value.text);
  return kind.success ? [] : [issueAt(place, kind.error.issues[0]?.message ?? "not a task kind")];
}

function payloadIssues(template: Json, place: string, levels: number): Issue[] {
  if (typeof template === "string") {
    const term = readTerm(template);
    return term.ok ? [] : [issueAt(place, term.error)];
  }
  if (typeof template !== "object" || template === null) return [];
  if (levels === 0) return [issueAt(place, "the payload is nested too deeply")];
  const issues: Issue[] = [];
  for (const [key, member] of Object.entries(template)) {
    issues.push(...payloadIssues(member, `${place}.${key}`, levels - 1));
    if (issues.length >= ISSUES_MAX) break;
  }
  return issues;
}

/** A default must be for a path that the mapping contains with exactly this text: any other would never be used. */
function defaultIssues({ kind, payload, defaults = {} }: EventMapping, place: string): Issue[] {
  const used = new Set(stringsOf(payload, JSON_DEPTH_MAX).concat(kind));
  return Object.keys(defaults)
    .filter((path) => !path.startsWith("$") || path.startsWith("$$") || !used.has(path))
    .map((path) => issueAt(`${place}.${path}`, "the mapping does not contain this path"));
}

function stringsOf(template: Json, levels: number): readonly string[] {
  if (typeof template === "string") return [template];
  if (typeof template !== "object" || template === null || levels === 0) return [];
  return Object.values(template).flatMap((member) => stringsOf(member, levels - 1));
}

const issueAt = (place: string, message: string): Issue => ({
  path: place.slice(0, PLACE_CHARS_MAX),
  message,
});

/** The task that an event becomes, or `event_unmapped`, naming the path that failed. */
export function taskOf(mapping: EventMapping, event: Json): Result<SubmitTask, ApiError> {
  const kind = kindOf(mapping, event);
  if (!kind.ok) return kind;
  const payload = fill(mapping.payload, mapping, event, JSON_DEPTH_MAX);
  if (!payload.ok) return payload;
  const fits = checkPayload(payload.value);
  if (!fits.ok) return fits;
  return ok({
    kind: kind.value,
    payload: exactJsonOf(payload.value),
    requirements: mapping.requirements,
    priority: mapping.priority,
    deadline_seconds: mapping.deadline_seconds,
    max_attempts: mapping.max_attempts,
    lease_seconds: mapping.lease_seconds,
    ...(mapping.callback !== undefined && { callback: mapping.callback }),
  });
}

function kindOf(mapping: EventMapping, event: Json): Result<string, ApiError> {
  const { kind: text } = mapping;
  const value = valueOf(text, mapping, event, "kind");
  if (!value.ok) return value;
  const kind = TaskKind.safeParse(value.value);
  if (kind.success) return ok(kind.data);
  return unmapped(`kind: the value of ${text} is not a valid task kind`);
}

/** The template with every string replaced by its value. Member names are never paths. */
function fill(
  template: Json,
  mapping: EventMapping,
  event: Json,
  levels: number,
): Result<Json, ApiError> {
  if (typeof template === "string") return valueOf(template, mapping, event, "payload");
  if (typeof template !== "object" || template === null) return ok(template);
  if (levels === 0) return unmapped("payload: the template is nested too deeply");
  const filled: [string, Json][] = [];
  for (const [key, member] of Object.entries(template)) {
    const value = fill(member, mapping, event, levels - 1);
    if (!value.ok) return value;
    filled.push([key, value.value]);
  }
  if (Array.isArray(template)) return ok(filled.map(([, value]) => value));
  return ok(Object.fromEntries(filled)); // defines own members, so that one named __proto__ stays a member
}

function valueOf(
  text: string,
  { defaults = {} }: EventMapping,
  event: Json,
  field: string,
): Result<Json, ApiError> {
  const term = readTerm(text);
  if (!term.ok) return unmapped(`${field}: ${term.error}`); // `checkMapping` refuses it when the source is registered
  if (term.value.type === "literal") return ok(term.value.text);
  const { path } = term.value;
  const fallback = Object.hasOwn(defaults, path.text) ? defaults[path.text] : undefined;
  const selected = select(path, event);
  const value = selected === undefined ? fallback : selected; // null is a value
  return value === undefined
    ? unmapped(`${field}: ${path.text} selects nothing in this event`)
    : ok(value);
}

/** `$...` is a path, `$$...` is a literal that begins with one `$`, anything else is a literal. */
function readTerm(text: string): Result<Term, string> {
  if (text.startsWith("$$")) return ok({ type: "literal", text: text.slice(1) });
  if (!text.startsWith("$")) return ok({ type: "literal", text });
  const path = parsePath(text);
  return path.ok ? ok({ type: "path", path: path.value }) : path;
}

const unmapped = (detail: string): Result<never, ApiError> =>
  err({ code: "event_unmapped", detail });
