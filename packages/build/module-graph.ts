/** Which modules a package consists of: all that its entries import, and the files that they start as threads or processes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { fromRoot, ROOT } from "./paths.ts";

/** Modules that stay imports of the user's own packages, and those of the runtime. */
export type IsExternal = (specifier: string) => boolean;

export interface Graph {
  /** The files, by their path from the root. */
  readonly files: readonly string[];
  /** What each file imports: the file by the specifier. */
  readonly imports: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** A file that a module names by its URL: in `new URL`, or in a constant for it. */
export const BESIDE = /(?<=new URL\(|_ENTRY = )"(\.{1,2}\/[^"]+)\.ts"(?=, import\.meta\.url|;)/g;

/** A module as the package has it: with the built names of the files that it names. */
export const forPackage = (source: string): string => source.replaceAll(BESIDE, '"$1.js"');

export async function moduleGraph(
  entries: readonly string[],
  isExternal: IsExternal,
): Promise<Graph> {
  const files = new Set<string>();
  const imports = new Map<string, Map<string, string>>();
  let found = entries.map((entry) => join(ROOT, entry));
  while (found.length > 0) {
    const named = new Set<string>();
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: found,
      bundle: true,
      write: false,
      metafile: true,
      outdir: "unused",
      format: "esm",
      platform: "node",
      conditions: ["import", "browser"],
      mainFields: ["module", "main"],
      logLevel: "warning",
      plugins: [externals(isExternal), namedFiles(named)],
    });
    for (const [path, input] of Object.entries(metafile.inputs)) {
      files.add(path);
      const resolved = input.imports.filter(({ external }) => external !== true);
      imports.set(path, new Map(resolved.map((one) => [one.original ?? one.path, one.path])));
    }
    found = [...named].filter((file) => !files.has(fromRoot(file)));
  }
  return { files: [...files].toSorted(), imports };
}

export const externals = (isExternal: IsExternal): Plugin => ({
  name: "externals",
  setup: (bundler) =>
    bundler.onResolve({ filter: /^[^./]/ }, ({ path }) =>
      isExternal(path) ? { path, external: true } : undefined,
    ),
});

const namedFiles = (named: Set<string>): Plugin => ({
  name: "named-files",
  setup: (bundler) =>
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const contents = await readFile(path, "utf8");
      for (const [, beside] of contents.matchAll(BESIDE))
        named.add(join(path, "..", `${beside}.ts`));
      return { contents, loader: "ts" };
    }),
});
