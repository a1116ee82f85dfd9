/** What the packages contain, and what they bring. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, inject, it, test } from "vitest";
import { ROOT, run, tool } from "./tools.ts";

const { tarballs, sdkFolder, allFolder } = inject("installed");
const MESH = join(sdkFolder, "node_modules/muster-mesh");
const SERVER = join(allFolder, "node_modules/muster-mesh-server");
const MEGABYTE = 1_000_000;

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}
interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}
const read = (file: string): string => readFileSync(file, "utf8");
const manifestOf = (folder: string): Manifest =>
  JSON.parse(read(join(folder, "package.json"))) as Manifest;
const filesIn = (folder: string): readonly string[] =>
  globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const bytesIn = (folder: string): number =>
  filesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0);

describe("PK1 npm install muster-mesh", () => {
  it("brings under 10 MB, and no other package", () => {
    expect(bytesIn(join(sdkFolder, "node_modules"))).toBeLessThan(10 * MEGABYTE);
    const brought = globSync("{*,@*/*}", { cwd: join(sdkFolder, "node_modules") });
    expect(brought.filter((name) => !name.startsWith("@"))).toEqual(["muster-mesh"]);
  });

  it("runs no script", () => {
    for (const name of ["preinstall", "install", "postinstall"])
      expect(manifestOf(MESH).scripts).not.toHaveProperty(name);
  });

  it("is of the version of the checkout, and so is the server", () => {
    const { version } = manifestOf(ROOT);
    expect([manifestOf(MESH).version, manifestOf(SERVER).version]).toEqual([version, version]);
  });
});

describe("PK2 what a package contains", () => {
  test.each([MESH, SERVER])(
    "the license, and no tests, benchmarks or TypeScript to run: %s",
    (folder) => {
      expect(read(join(folder, "LICENSE"))).toContain("EUROPEAN UNION PUBLIC LICENCE v. 1.2");
      const names = filesIn(folder).map((file) => file.slice(folder.length + 1));
      expect(names.filter((name) => /(^|\/)(test|bench)\/|\.test\./.test(name))).toEqual([]);
      const typescript = names.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
      expect(typescript.filter((name) => !name.startsWith("sources/"))).toEqual([]);
    },
  );

  it("no export names a source, and each leads to files that exist", () => {
    const targets = JSON.stringify(manifestOf(MESH).exports).match(/\.\/[^"]+\.(?:ts|js)"/g) ?? [];
    const files = targets
      .map((target) => target.slice(0, -1))
      .filter((file) => file.includes("dist"));
    expect(files.length).toBeGreaterThan(8);
    expect(files.filter((file) => !existsSync(join(MESH, file)))).toEqual([]);
    expect(files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))).toEqual([]);
  });

  it("the license of each package whose code is in it", () => {
    const vendored = globSync("dist/vendor/{[^@]*,@*/*}", { cwd: MESH });
    expect(vendored.length).toBeGreaterThan(2);
    expect(vendored.filter((name) => !existsSync(join(MESH, name, "LICENSE")))).toEqual([]);
  });

  it("workerd of the version that wrangler has", () => {
    const wrangler = JSON.parse(read(join(ROOT, "node_modules/wrangler/package.json"))) as Manifest;
    expect(manifestOf(SERVER).dependencies).toEqual({
      workerd: wrangler.dependencies?.["workerd"],
    });
  });
});

describe("PK3 maps and declarations", () => {
  it("each map leads to sources that the package contains", () => {
    const maps = globSync("dist/**/*.map", { cwd: MESH });
    expect(maps.filter((file) => file.endsWith(".d.ts.map")).length).toBeGreaterThan(50);
    const missing = maps.flatMap((file) => {
      const { sources, sourcesContent } = JSON.parse(read(join(MESH, file))) as SourceMap;
      return sources.filter(
        (source, at) =>
          typeof sourcesContent?.[at] !== "string" &&
          !existsSync(join(MESH, dirname(file), source)),
      );
    });
    expect(missing).toEqual([]);
  });

  it("each file with a map names it", () => {
    const built = globSync("dist/**/*.{js,d.ts}", { cwd: MESH }).filter(
      (file) => !file.startsWith("dist/vendor/"),
    );
    const without = built.filter(
      (file) =>
        !read(join(MESH, file)).includes(`//# sourceMappingURL=`) ||
        !existsSync(join(MESH, `${file}.map`)),
    );
    expect(without).toEqual([]);
  });

  it("no declaration names a TypeScript source", () => {
    const declarations = globSync("dist/**/*.d.ts", { cwd: MESH });
    const naming = declarations.filter((file) =>
      /(?:from|import\() ?"[^"]+(?<!\.d)\.ts"/.test(read(join(MESH, file))),
    );
    expect(naming).toEqual([]);
  });

  test("publint finds nothing", async () => {
    const built = existsSync(join(SERVER, "dist")) ? Object.values(tarballs) : [tarballs.mesh];
    for (const tarball of built)
      expect(await run(tool("publint"), [tarball, "--strict"], { cwd: sdkFolder })).toContain(
        "All good!",
      );
  });

  test("attw finds nothing, also for the oldest way to resolve modules", async () => {
    // Ours are ES modules, which every Node of `engines` also loads by `require`.
    const args = [tarballs.mesh, "--ignore-rules", "cjs-resolves-to-esm", "--no-emoji"];
    expect(await run(tool("attw"), args, { cwd: sdkFolder })).toContain("No problems found");
  });
});
