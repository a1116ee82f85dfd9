/** What the packages contain, and what they bring. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
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
/** What a folder takes of the disk, as `du` counts: whole blocks, and those of its folders. */
const diskBytes = (folder: string): number =>
  [folder, ...globSync("**/*", { cwd: folder }).map((name) => join(folder, name))].reduce(
    (sum, file) => sum + statSync(file).blocks * 512,
    0,
  );

describe("PK1 npm install muster-mesh", () => {
  it("brings under 10 MB, as the disk counts them, and no other package", () => {
    expect(diskBytes(join(sdkFolder, "node_modules"))).toBeLessThan(10 * MEGABYTE);
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
      expect(names.filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))).toEqual([]);
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

  it.each([MESH, SERVER])("the license of each package whose code is in %s", (folder) => {
    const named = globSync("dist/**/*.js", { cwd: folder }).flatMap((file) => {
      const map = join(folder, `${file}.map`);
      const { sources = [] } = existsSync(map) ? (JSON.parse(read(map)) as SourceMap) : {};
      const texts = [
        ...sources,
        ...(read(join(folder, file)).match(/^\/\/ node_modules\/.*/gm) ?? []),
      ];
      return texts.map((text) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(text)?.[1]);
    });
    const copied = globSync("dist/vendor/{[^@]*,@*/*}", { cwd: folder }).map((name) =>
      name.slice("dist/vendor/".length),
    );
    const names = new Set([...named.filter((name) => name !== undefined), ...copied]);
    expect(names.size).toBeGreaterThan(4);
    expect(
      [...names].filter((name) => !existsSync(join(folder, "dist/vendor", name, "LICENSE"))),
    ).toEqual([]);
  });

  it("PK17 nothing of the SDK loads the schema library, whose types alone it has", () => {
    expect(globSync("dist/vendor/zod/**/*.js", { cwd: MESH })).toEqual([]);
    expect(globSync("dist/vendor/zod/**/*.d.ts", { cwd: MESH })).not.toEqual([]);
  });

  it("workerd of the version that wrangler has", () => {
    const wrangler = JSON.parse(read(join(ROOT, "node_modules/wrangler/package.json"))) as Manifest;
    expect(manifestOf(SERVER).dependencies).toEqual({
      workerd: wrangler.dependencies?.["workerd"],
    });
  });
});

describe("PK3 maps and declarations", () => {
  it.each([MESH, SERVER])(
    "the maps of %s contain the sources that they name, each once",
    (folder) => {
      const maps = globSync("dist/**/*.map", { cwd: folder });
      expect(maps.length).toBeGreaterThan(10);
      const named = new Set<string>();
      const contained: string[] = [];
      for (const file of maps) {
        const { sources, sourcesContent } = JSON.parse(read(join(folder, file))) as SourceMap;
        for (const [at, source] of sources.entries()) {
          const path = relative(folder, join(folder, dirname(file), source));
          named.add(path);
          const content = sourcesContent?.[at];
          if (typeof content !== "string") continue;
          contained.push(path);
          const isOther = path.startsWith("node_modules/");
          expect(content).toBe(
            isOther ? "// The code of another package.\n" : read(join(ROOT, path)),
          );
        }
      }
      expect(contained.toSorted()).toEqual([...named].toSorted());
    },
  );

  it("PK16 a stack trace of the package names the line of the source", async () => {
    const code = `import { controller } from "muster-mesh"; try { controller({}); } catch (error) { console.log(error.stack); }`;
    const args = ["--enable-source-maps", "--input-type=module", "--eval", code];
    const stack = await run(tool("node"), args, { cwd: sdkFolder, env: { NODE_OPTIONS: "" } });
    const [, path = "", line = 0] =
      /at refuseUnknownOptions \(.*muster-mesh\/(src\/.+\.ts):(\d+):/.exec(stack) ?? [];
    expect(path).toBe("src/client/known-options.ts");
    expect(read(join(ROOT, path)).split("\n")[Number(line) - 1]).toContain(
      "throw new OptionsError(",
    );
  });

  it("each module with a map names it, and no declaration does", () => {
    const built = globSync("dist/**/*.js", { cwd: MESH }).filter(
      (file) => !file.startsWith("dist/vendor/"),
    );
    expect(globSync("dist/**/*.d.ts.map", { cwd: MESH })).toEqual([]);
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
