import { toRfc3339, type Millis } from "../clock.ts";
import { escapeText } from "../escape-text.ts";
import { parseJson, isJsonObject } from "../json.ts";
import { redact } from "../redact.ts";
import { isLogEvent, LOG_EVENTS, type LogEvent, type LogEventType } from "./log-events.ts";
import { LOG_FIELDS, LOG_LEVELS, type LogFieldName, type LogLevel } from "./log-fields.ts";

/** A line of the log. Every text in it is redacted and bounded. */
export interface LogLine {
  readonly time: string;
  readonly level: LogLevel;
  readonly event: LogEvent;
  /** For people; has no more in it than the fields. */
  readonly message: string;
  readonly fields: Readonly<Partial<Record<LogFieldName, string | number>>>;
}

/** Values as they are given: of any length, maybe null. */
type Given = Readonly<Partial<Record<LogFieldName, string | number | null>>>;

const MESSAGE_MAX = 2_000;

/** The line of an event. */
export function logLine(
  event: LogEvent,
  given: Given,
  now: Millis,
  level: LogLevel = LOG_EVENTS[event].level,
): LogLine {
  const type: LogEventType = LOG_EVENTS[event];
  const fields: Partial<Record<LogFieldName, string | number>> = {};
  for (const name of type.fields) {
    const value = cleanValue(name, given[name] ?? null);
    if (value !== null) fields[name] = value;
  }
  return { time: toRfc3339(now), level, event, message: messageOf(type, fields), fields };
}

/** The value as a line may have it; null for one that is of another type. */
function cleanValue(name: LogFieldName, value: unknown): string | number | null {
  const field = LOG_FIELDS[name];
  if (field.type === "number") return Number.isFinite(value) ? (value as number) : null;
  if (typeof value !== "string") return null;
  // First, so that the time for a text has a limit; once more, because to redact may add a character.
  const text = redact(value.slice(0, 2 * field.max));
  return text.length <= field.max ? text : `${text.slice(0, field.max - 1)}…`;
}

function messageOf(type: LogEventType, fields: LogLine["fields"]): string {
  const message = type.message.replace(PLACEHOLDER, (_, name: LogFieldName) =>
    String(fields[name] ?? "unknown"),
  );
  return message.slice(0, MESSAGE_MAX);
}

const PLACEHOLDER = /\{(\w+)\}/g;

/** The fields that a message contains. */
export const fieldsInMessage = (event: LogEvent): readonly LogFieldName[] =>
  [...LOG_EVENTS[event].message.matchAll(PLACEHOLDER)].map(([, name]) => name as LogFieldName);

/** A line as one JSON object. What a terminal would act on is escaped, because such a line may be read in one. */
export const toLogJson = ({ fields, ...line }: LogLine): string =>
  escapeText(JSON.stringify({ ...line, ...fields }));

/** The line that `toLogJson` has written; null for any other text. What the tables don't know is left out. */
export function readLogLine(text: string): LogLine | null {
  const json = parseJson(text);
  if (!isJsonObject(json) || !isLogEvent(json["event"])) return null;
  const time = typeof json["time"] === "string" ? Date.parse(json["time"]) : Number.NaN;
  const level = LOG_LEVELS.find((known) => known === json["level"]);
  if (Number.isNaN(time) || level === undefined) return null;
  return logLine(json["event"], json, time, level);
}

/** A line as a text for people: time, level, event, message, and the fields that the message does not have. */
export function toLogText({ time, level, event, message, fields }: LogLine): string {
  const inMessage = new Set<string>(fieldsInMessage(event));
  const others = Object.entries(fields).filter(([name]) => !inMessage.has(name));
  return [time, level, event, message, ...others.map(pair)].join(" ");
}

const pair = ([name, value]: [string, string | number]): string =>
  `${name}=${/^[\w.:/@+-]+$/.test(String(value)) ? value : JSON.stringify(value)}`;
