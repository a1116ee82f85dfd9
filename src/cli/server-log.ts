import type { Millis } from "../base/clock.ts";
import { toLogText, type LogLine } from "../base/log/log-line.ts";
import { LOG_LEVELS } from "../base/log/log-fields.ts";
import { Logger, LOG_LEVEL_DEFAULT } from "../base/log/logger.ts";
import { print, printJsonLine } from "./output.ts";

/** A log on stdout: a JSON object in each line, or the same as text. `level` may be undefined: the default. */
export function serverLog(
  form: "text" | "json",
  now: () => Millis,
  level: string | undefined,
): Logger {
  const log = new Logger({ write: form === "json" ? writeJsonLine : writeTextLine, now });
  log.level = LOG_LEVELS.find((known) => known === level) ?? LOG_LEVEL_DEFAULT;
  return log;
}

const writeJsonLine = ({ fields, ...line }: LogLine): void => printJsonLine({ ...line, ...fields });
const writeTextLine = (line: LogLine): void => print(toLogText(line));
