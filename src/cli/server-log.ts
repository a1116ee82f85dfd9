import { redact } from "../base/redact.ts";
import { toRfc3339 } from "../base/clock.ts";
import { print, printJsonLine } from "./output.ts";
import type { LogLevel } from "./server-module.ts";

type Fields = Readonly<Record<string, string | number>>;

/** Writes one line of the log. No field may be a secret. */
export type Log = (level: LogLevel, message: string, fields?: Fields) => void;

/** A log on stdout: JSON lines with `time`, `level`, `message` and the fields, or the same as text. */
export function serverLog(form: "text" | "json", now: () => number): Log {
  return (level, message, fields = {}) => {
    const time = toRfc3339(now());
    const text = redact(message);
    if (form === "json") printJsonLine({ time, level, message: text, ...fields });
    else print([time, level, text, ...Object.entries(fields).map(pair)].join(" "));
  };
}

const pair = ([name, value]: [string, string | number]): string =>
  `${name}=${/^[\w.:/@+-]+$/.test(String(value)) ? value : JSON.stringify(value)}`;
