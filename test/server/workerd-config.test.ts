import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUNDLES, bundleWorkers } from "../../server/bundle.ts";
import { COMPATIBILITY_DATE, workerdConfig } from "../../server/workerd-config.ts";
import { writeFile } from "node:fs/promises";

const ROOT = join(import.meta.dirname, "../..");

/** Only for a bundling that hangs: on a busy machine it takes ten times as long. */
const BUNDLED_MS = 180_000;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-config-"));
  await bundleWorkers(dir);
}, BUNDLED_MS);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The `[[…]]` tables and settings of wrangler.toml that concern what the Worker sees. */
const manifest = () => readFile(join(ROOT, "wrangler.toml"), "utf8");

describe("the configuration of workerd", () => {
  test("SV1 the compatibility date and the bindings are those of wrangler.toml", async () => {
    const toml = await manifest();
    expect(toml).toContain(`compatibility_date = "${COMPATIBILITY_DATE}"`);
    expect(toml).not.toContain("compatibility_flags");
    const config = configWith({});
    const bindings = [...toml.matchAll(/^(?:name|binding) = "([A-Z_]+)"$/gm)].map(
      ([, name]) => name,
    );
    expect(bindings).toHaveLength(3);
    for (const name of bindings) expect(config).toContain(`(name = "${name}", `);
    // Each kind of binding has a counterpart: a new one needs its own. `build` is what Wrangler runs before it bundles.
    const tables = [...toml.matchAll(/^\[\[?([a-z_.]+)\]\]?$/gm)].map(([, name]) => name);
    expect(new Set(tables)).toEqual(
      new Set([
        "build",
        "durable_objects.bindings",
        "migrations",
        "kv_namespaces",
        "vars",
        "observability",
        "observability.logs",
      ]),
    );
  });

  test("SV1 a bundle needs nothing that workerd does not have, and no variable of a process", async () => {
    for (const file of Object.values(BUNDLES)) {
      const source = await readFile(join(dir, file), "utf8");
      const imported = [...source.matchAll(/^import .* from "([^"]+)";$/gm)].map(
        ([, name]) => name,
      );
      expect(imported.filter((name) => name !== "cloudflare:workers")).toEqual([]);
      expect(source).not.toMatch(/process\.env\.NODE_ENV/);
    }
  });

  test("SV56 keeps the coordinator and the store open, and lets sessions end while they have no work", () => {
    const kept = [
      ...configWith({}).matchAll(/className = "(\w+)",[^)]* preventEviction = true\)/g),
    ];
    expect(kept.map(([, name = ""]) => name).toSorted()).toEqual(["Coordinator", "KvStore"]);
  });

  test.each([
    ["quotes and backslashes", 'a"b\\c'],
    ["control characters", "a\nb\tc\u0000\u001f\u007fd"],
    ["digits after a control character", "a\u00011b"],
    ["other alphabets", "Ж鍵🔑é"],
    ["what looks like Cap'n Proto", '"), (name = "x", text = "'],
  ])("SV1 a path with %s is one string of the configuration", async (_, path) => {
    const file = join(dir, "escaped.capnp");
    await writeFile(file, configWith({ objects: path }));
    const workerd = join(ROOT, "node_modules/.bin/workerd");
    const { stdout } = await promisify(execFile)(
      workerd,
      ["compile", file, "config", "--config-only"],
      { encoding: "latin1", maxBuffer: 64 * 1_024 * 1_024 },
    );
    expect(Buffer.from(stdout, "latin1").includes(Buffer.from(`${path}\u0000`))).toBe(true);
  });
});

const configWith = (more: object): string =>
  workerdConfig({
    socket: "/run/mesh.sock",
    objects: "/data",
    variables: ["ADMIN_TOKEN"],
    proxy: "127.0.0.1:1",
    locations: null,
    disk: "127.0.0.1:2",
    configuredOrigins: [],
    ...more,
  });
