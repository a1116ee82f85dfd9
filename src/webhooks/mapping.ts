import { JSON_DEPTH_MAX, type Json } from "../base/json.ts";
import { exactJson } from "../base/json-text/json-text.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TASK_PAYLOAD_BYTES_MAX } from "../protocol/constants.ts";
import type { ApiError } from "../protocol/errors.ts";
import type { EventMapping, SubmitTask } from "../protocol/http.ts";
import { TaskKind } from "../protocol/messages.ts";
import { parsePath, type JsonPath } from "./json-path.ts";
import { PAYLOAD_TOO_LARGE, PayloadText } from "./payload-text.ts";
import type { SelectedValues } from "./selection/json-selector.ts";

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

/** The paths that a mapping reads of an event. What is not a path is refused when the source is registered. */
export const mappedPaths = ({ kind, payload }: EventMapping): readonly JsonPath[] =>
  stringsOf(payload, JSON_DEPTH_MAX)
    .concat(kind)
    .flatMap((text) => {
      const term = readTerm(text);
      return term.ok && term.value.type === "path" ? [term.value.path] : [];
    });

/** The task that an event becomes, or `event_unmapped`, naming the path that failed. */
export function taskOf(mapping: EventMapping, event: SelectedValues): Result<SubmitTask, ApiError> {
  const kind = kindOf(mapping, event);
  if (!kind.ok) return kind;
  const payload = payloadOf(mapping, event);
  if (!payload.ok) return payload;
  return ok({
    kind: kind.value,
    payload: exactJson(payload.value),
    requirements: mapping.requirements,
    priority: mapping.priority,
    deadline_seconds: mapping.deadline_seconds,
    max_attempts: mapping.max_attempts,
    lease_seconds: mapping.lease_seconds,
    ...(mapping.callback !== undefined && { callback: mapping.callback }),
  });
}

function kindOf(mapping: EventMapping, event: SelectedValues): Result<string, ApiError> {
  const { kind: text } = mapping;
  const value = valueOf(text, mapping, event, "kind");
  if (!value.ok) return value;
  const kind = TaskKind.safeParse(JSON.parse(value.value));
  if (kind.success) return ok(kind.data);
  return unmapped(`kind: the value of ${text} is not a valid task kind`);
}

function payloadOf(mapping: EventMapping, event: SelectedValues): Result<string, ApiError> {
  const written = new PayloadText();
  const filled = fill(written, mapping.payload, mapping, event, JSON_DEPTH_MAX);
  return filled.ok ? written.end() : filled;
}

/** Writes the template with every string replaced by its value. Member names are never paths. */
function fill(
  written: PayloadText,
  template: Json,
  mapping: EventMapping,
  event: SelectedValues,
  levels: number,
): Result<void, ApiError> {
  const add = (text: string): Result<void, ApiError> =>
    written.add(text) ? ok(undefined) : err(PAYLOAD_TOO_LARGE);
  if (typeof template === "string") {
    const value = valueOf(template, mapping, event, "payload");
    return value.ok ? add(value.value) : value;
  }
  if (typeof template !== "object" || template === null) return add(JSON.stringify(template));
  if (levels === 0) return unmapped("payload: the template is nested too deeply");
  const isList = Array.isArray(template);
  let before = isList ? "[" : "{";
  for (const [key, member] of Object.entries(template)) {
    const begun = add(isList ? before : `${before}${JSON.stringify(key)}:`);
    const filled = begun.ok ? fill(written, member, mapping, event, levels - 1) : begun;
    if (!filled.ok) return filled;
    before = ",";
  }
  return add(`${before === "," ? "" : before}${isList ? "]" : "}"}`);
}

/** The JSON text of what a string of the mapping stands for: that of the event exactly as it was sent. */
function valueOf(
  text: string,
  { defaults = {} }: EventMapping,
  event: SelectedValues,
  field: string,
): Result<string, ApiError> {
  const term = readTerm(text);
  if (!term.ok) return unmapped(`${field}: ${term.error}`); // `checkMapping` refuses it when the source is registered
  if (term.value.type === "literal") return ok(JSON.stringify(term.value.text));
  const { path } = term.value;
  const selected = event.find(path, "mapped");
  if (selected === null) {
    const limit = `${path.text} is larger than ${TASK_PAYLOAD_BYTES_MAX} bytes`;
    return unmapped(`${field}: the value of ${limit}; map a smaller part of the event`);
  }
  if (selected !== undefined) return ok(selected.text); // null in the event is a value
  const fallback = Object.hasOwn(defaults, path.text) ? defaults[path.text] : undefined;
  return fallback === undefined
    ? unmapped(`${field}: ${path.text} selects nothing in this event`)
    : ok(JSON.stringify(fallback));
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
