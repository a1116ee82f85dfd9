import type { LogEntry, LogEvent, LogValuesOf } from "../../base/log/log-events.ts";
import type { Context } from "./context.ts";

/** Has a line written to the log once the command has committed. A command that is refused writes none. */
export function logLine<E extends LogEvent>(
  { effects }: Pick<Context, "effects">,
  event: E,
  values: LogValuesOf<E>,
): void {
  // The type can't say that the values are those of the event.
  effects.push({ type: "log", entry: { event, values } as unknown as LogEntry });
}
