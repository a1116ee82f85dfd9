import { Logger } from "../src/base/log/logger.ts";
import type { LogLevel } from "../src/base/log/log-fields.ts";
import { toLogJson } from "../src/base/log/log-line.ts";

/**
 * The log of this isolate, also that of a replica in a process: one JSON object in each line, from which Cloudflare's Workers Logs index the fields. One for
 * all objects and requests of an isolate, so that its limits hold for all of them together. `readConfig` sets the level.
 */
export const log = new Logger({
  write: (line) => METHODS[line.level](toLogJson(line)),
  now: () => Date.now(),
});

/** The platform keeps the level of each method. Looked up at each call, because tests replace them. */
const METHODS: Readonly<Record<LogLevel, (text: string) => void>> = {
  debug: (text) => console.debug(text),
  info: (text) => console.info(text),
  warn: (text) => console.warn(text),
  error: (text) => console.error(text),
};
