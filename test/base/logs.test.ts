import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test.each(["wrangler.toml", "wrangler.discovery.toml"])(
  "CL13 %s keeps queries out of logs and traces, and keeps no line of each request",
  (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    expect(text).toMatch(/^\[observability\]\nenabled = true\nredact_query_string = true$/m);
    expect(text).toMatch(/^\[observability\.logs\]\nenabled = true\ninvocation_logs = false$/m);
  },
);

test.each(globSync("{durable,workers,src}/**/*.ts", { cwd: ROOT }))(
  "CL13 %s logs no error as it was thrown",
  (file) => {
    const code = readFileSync(join(ROOT, file), "utf8");
    const calls = code.match(/\bconsole\.\w+\([^;]*/g) ?? [];
    const raw = calls.filter((call) =>
      /String\(|\.stack|\.message|\burl\b|JSON\.stringify/.test(call),
    );
    expect(raw.filter((call) => !/redact(?:edError)?\(/.test(call))).toEqual([]);
  },
);
