/** Writes the modules of a package as JavaScript, one file for each, so that bundlers drop those that a program does not use. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { onlyEnglish, forPackage, type Graph } from "./module-graph.ts";
import { fromRoot, isVendored, outputOf, ROOT, specifier } from "./paths.ts";

/** Syntax of the oldest Node that `engines` states. */
const TARGET = "node22.12";

export async function emitModules(graph: Graph, dist: string): Promise<void> {
  const own = graph.files.filter((path) => !isVendored(path));
  const vendored = graph.files.filter(isVendored);
  await emit(graph, own, dist, true);
  await emit(graph, vendored, dist, false);
}

async function emit(
  graph: Graph,
  files: readonly string[],
  dist: string,
  sourcemap: boolean,
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
    plugins: [apart(graph), onlyEnglish, asInPackage],
  });
}

/** Every import leads to the file of another module in `dist/`. */
const apart = ({ imports }: Graph): Plugin => ({
  name: "apart",
  setup: (bundler) =>
    bundler.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
      if (kind === "entry-point") return undefined;
      const from = fromRoot(importer);
      const to = imports.get(from)?.get(path);
      if (to === undefined) return { path, external: true };
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
