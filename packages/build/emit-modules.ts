/** Writes the modules of a package as JavaScript, one file for each, so that bundlers drop those that a program does not use. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { unmapped } from "./emit-programs.ts";
import { forPackage, type Graph } from "./module-graph.ts";
import { fromRoot, isVendored, outputOf, ROOT, specifier } from "./paths.ts";

/** Syntax of the oldest Node that `engines` states. */
const TARGET = "node22.12";

/**
 * Modules with their own copy of what they use of other packages. The SDK loads them only when it needs them; what they use lies in files from
 * which other modules need a small part at once, and bundlers would load the whole file at once.
 */
const WHOLE: ReadonlySet<string> = new Set(["src/crypto/primitives/edwards.ts"]);

export async function emitModules(graph: Graph, dist: string): Promise<void> {
  const own = graph.files.filter((path) => !isVendored(path));
  await emit(own, dist, true, apart(graph, WHOLE));
  await emit(vendoredOf(graph, own), dist, false, apart(graph));
}

/** The files of other packages that our modules import, but for those that have copies of their own. */
function vendoredOf({ imports }: Graph, own: readonly string[]): readonly string[] {
  const found = new Set(own.filter((path) => !WHOLE.has(path)));
  // Files that are added while the set is read are read, too.
  for (const path of found)
    for (const imported of imports.get(path)?.values() ?? [])
      if (isVendored(imported)) found.add(imported);
  return [...found].filter(isVendored);
}

async function emit(
  files: readonly string[],
  dist: string,
  sourcemap: boolean,
  resolver: Plugin,
): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: files.map((path) => ({ in: join(ROOT, path), out: outputOf(path) })),
    outdir: dist,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: TARGET,
    charset: "utf8",
    legalComments: "inline",
    sourcemap,
    sourcesContent: false,
    logLevel: "warning",
    plugins: [resolver, asInPackage, ...(sourcemap ? [unmapped] : [])],
  });
}

/** Every import leads to the file of another module in `dist/`, except that of other packages' code into a module that is `whole`. */
const apart = ({ imports }: Graph, whole: ReadonlySet<string> = new Set()): Plugin => ({
  name: "apart",
  setup: (bundler) =>
    bundler.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
      if (kind === "entry-point") return undefined;
      const from = fromRoot(importer);
      const to = imports.get(from)?.get(path);
      if (to === undefined) return { path, external: true };
      // Only what a whole module imports of other packages is in this build, and imports what it needs itself.
      const isCopied = whole.size > 0 && isVendored(to) && (whole.has(from) || isVendored(from));
      if (isCopied) return { path: join(ROOT, to) };
      return { path: `${specifier(outputOf(from), outputOf(to))}.js`, external: true };
    }),
});

const asInPackage: Plugin = {
  name: "as-in-package",
  setup: (bundler) =>
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: forPackage(await readFile(path, "utf8")),
      loader: "ts",
    })),
};
