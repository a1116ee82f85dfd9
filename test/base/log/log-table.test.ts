import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  LINES_PER_MINUTE,
  LOG_EVENTS,
  type LogEvent,
  type LogEventType,
} from "../../../src/base/log/log-events.ts";
import { LOG_FIELDS, TEXT_MAX, type LogFieldName } from "../../../src/base/log/log-fields.ts";
import { fieldsInMessage } from "../../../src/base/log/log-line.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = join(ROOT, "docs/logs.md");
const EVENTS = Object.keys(LOG_EVENTS) as LogEvent[];
const FIELDS = Object.keys(LOG_FIELDS) as LogFieldName[];

const code = globSync("{src,server,durable,workers}/**/*.ts", { cwd: ROOT })
  .filter((file) => !file.endsWith("log-events.ts"))
  .map((file) => readFileSync(join(ROOT, file), "utf8"))
  .join("\n");

describe("the table of the log", () => {
  test.each(EVENTS)(
    "TR18 the event %s is written somewhere, and its message has its fields",
    (event) => {
      expect(event).toMatch(/^[a-z]+\.[a-z_]+$/);
      expect(code).toContain(`"${event}"`);
      const { fields } = LOG_EVENTS[event] as LogEventType;
      for (const field of fieldsInMessage(event)) expect(fields).toContain(field);
      expect(new Set(fields).size).toBe(fields.length);
    },
  );

  test.each(FIELDS)("TR18 the field %s belongs to an event", (field) => {
    expect(field).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(["time", "level", "event", "message"]).not.toContain(field);
    const all = EVENTS.flatMap((event) => (LOG_EVENTS[event] as LogEventType).fields);
    expect(all).toContain(field);
  });

  test("TR18 nothing but the log writes to the console", () => {
    const files = globSync("{src,server,durable,workers}/**/*.ts", { cwd: ROOT });
    const writing = files.filter((file) =>
      /\bconsole\.\w+\(/.test(readFileSync(join(ROOT, file), "utf8")),
    );
    // The second tells why a process does not start, as text for whoever starts it.
    expect(writing.toSorted()).toEqual(["durable/worker-log.ts", "workers/discovery.ts"]);
  });

  /** `npx vitest run --project core test/base/log/log-table.test.ts -u` renews the lists. */
  test("TR18 docs/logs.md lists every event and every field", async () => {
    const renewed = readFileSync(PAGE, "utf8")
      .replace(/## Events\n[\s\S]*?(?=\n## )/, () => eventsSection())
      .replace(/## Fields\n[\s\S]*?(?=\n## )/, () => fieldsSection());
    await expect(renewed).toMatchFileSnapshot(PAGE);
  });
});

function eventsSection(): string {
  const rows = EVENTS.map((event) => {
    const {
      level,
      message,
      fields,
      perMinute = LINES_PER_MINUTE,
    } = LOG_EVENTS[event] as LogEventType;
    const named = fields.map((field) => `\`${field}\``).join(", ");
    const limit = perMinute === LINES_PER_MINUTE ? "" : ` At most ${perMinute} a minute.`;
    const has = fields.length === 0 ? "" : ` Fields: ${named}.`;
    return `- \`${event}\` (${level}): ${message}.${has}${limit}`;
  });
  return ["## Events", "", ...rows, ""].join("\n");
}

function fieldsSection(): string {
  const rows = FIELDS.map((name) => {
    const field: { readonly type: string; readonly meaning: string; readonly max?: number } =
      LOG_FIELDS[name];
    const max = field.max ?? TEXT_MAX;
    const type = field.type === "text" ? `text of at most ${max} characters` : "number";
    return `- \`${name}\` (${type}): ${field.meaning}.`;
  });
  return ["## Fields", "", ...rows, ""].join("\n");
}
