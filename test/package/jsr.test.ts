/** What JSR would publish: the sources of the package, which `npm run build` collects. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { ROOT, rootTool, run } from "./tools.ts";

const PACKAGE = join(ROOT, "packages/mesh");
const read = (file: string) =>
  JSON.parse(readFileSync(file, "utf8")) as {
    readonly version: string;
    readonly imports: Readonly<Record<string, string>>;
    readonly dependencies: Readonly<Record<string, string>>;
  };
const missing = existsSync(rootTool("deno")) ? "" : " (skipped: node_modules has no deno binary)";

describe("PK12 the package for JSR", () => {
  it("has the version and the dependencies of the checkout", () => {
    const { version, imports } = read(join(PACKAGE, "jsr.json"));
    const root = read(join(ROOT, "package.json"));
    expect(version).toBe(root.version);
    for (const [name, specifier] of Object.entries(imports))
      expect(specifier).toBe(`npm:${name}@${root.dependencies[name]}`);
  });

  test.skipIf(missing !== "")(
    `PK20 passes a dry run of its publication without slow types${missing}`,
    async () => {
      const cache = await mkdtemp(join(tmpdir(), "muster-jsr-"));
      try {
        // Without `--allow-slow-types`: Deno infers no type of the public API.
        const args = ["publish", "--dry-run", "--allow-dirty"];
        const env = { DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1" };
        await run(rootTool("deno"), args, { cwd: PACKAGE, env });
      } finally {
        await rm(cache, { recursive: true, force: true });
      }
    },
  );
});
