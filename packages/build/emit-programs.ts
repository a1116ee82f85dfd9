/** Writes programs with all that they import: one file for each, and files for what several of them share. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { BESIDE, externals, type IsExternal } from "./module-graph.ts";
import { onlyEnglish } from "./only-english.ts";
import { fromRoot, outputOf, ROOT, specifier } from "./paths.ts";
import { PROGRAM_OPTIONS } from "./program-options.ts";

/** Programs whose files are in one folder of `dist/`. */
export interface Programs {
  readonly entries: readonly string[];
  readonly folder: string;
  readonly isExternal: IsExternal;
}

/** Returns the files that are in them. */
export async function emitPrograms(programs: Programs, dist: string): Promise<readonly string[]> {
  const { entries, folder, isExternal } = programs;
  const { metafile } = await build({
    ...PROGRAM_OPTIONS,
    metafile: true,
    entryPoints: entries.map((entry) => ({ in: join(ROOT, entry), out: nameOf(entry) })),
    outdir: join(dist, folder),
    legalComments: "inline",
    sourcemap: true,
    sourcesContent: false,
    plugins: [externals(isExternal), onlyEnglish, builtNames(programs), unmapped],
  });
  return Object.keys(metafile.inputs);
}

const nameOf = (entry: string): string => basename(entry, ".ts");

/** A map with one entry, which the bundler takes over. */
const NO_MAP = `data:application/json;base64,${btoa('{"version":3,"sources":[""],"mappings":"A"}')}`;

/** The package does not contain the sources of other packages: their code is mapped to one place each. */
export const unmapped: Plugin = {
  name: "unmapped",
  setup: (bundler) =>
    bundler.onLoad({ filter: /\/node_modules\/.*\.m?js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\n//# sourceMappingURL=${NO_MAP}`,
      loader: "js",
    })),
};

/** A file that a module names by its URL: another of the programs, or a module of the package. */
const builtNames = ({ entries, folder }: Programs): Plugin => ({
  name: "built-names",
  setup: (bundler) =>
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replaceAll(BESIDE, (_, beside: string) => {
        const file = fromRoot(join(path, "..", `${beside}.ts`));
        const built = entries.includes(file) ? `${folder}/${nameOf(file)}` : outputOf(file);
        return `"${specifier(`${folder}/program`, built)}.js"`;
      });
      return { contents, loader: "ts" };
    }),
});
