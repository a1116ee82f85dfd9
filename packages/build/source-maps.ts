/** The maps of a package lead to the sources that it contains. */
import { globSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromRoot, outputOf, ROOT, specifier } from "./paths.ts";

interface SourceMap {
  sources: string[];
  sourceRoot?: string;
  sourcesContent?: (string | null)[];
  /** Debuggers step over these sources. */
  ignoreList?: number[];
}

/** What stands for the sources of other packages, whose code the maps leave out. */
const OF_OTHERS = "// The code of another package.\n";

/** What a source imports from another one, types included: the code has no trace of those. */
const IMPORTED = /(?<=\bfrom ")\.{1,2}\/[^"\n]+\.ts(?=")/g;

/** These sources and all that they import, so that what the package contains can be read and compiled. */
export async function withImported(paths: readonly string[]): Promise<readonly string[]> {
  const found = new Set(paths);
  // Files that are added while the set is read are read, too.
  for (const path of found) {
    const source = await readFile(join(ROOT, path), "utf8");
    for (const [named] of source.matchAll(IMPORTED))
      found.add(fromRoot(join(ROOT, path, "..", named)));
  }
  return [...found];
}

/** Copies the sources into `sources/`, which no export names, and points the maps at them. */
export async function emitSources(paths: readonly string[], folder: string): Promise<void> {
  for (const path of paths) {
    const copy = join(folder, "sources", path);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(join(ROOT, path), copy);
  }
  for (const file of globSync("dist/**/*.map", { cwd: folder })) {
    const map = JSON.parse(await readFile(join(folder, file), "utf8")) as SourceMap;
    const declared = file.endsWith(".d.ts.map") ? sourceOf(file, paths) : null;
    const from = declared === null ? join(folder, file, "..") : null;
    map.sources = map.sources.map((source) => {
      const path = from === null ? declared : fromRoot(join(from, source));
      return specifier(file, `sources/${path}`);
    });
    delete map.sourceRoot;
    const others = map.sources.map((source) => /\/sources\/node_modules\//.test(source));
    if (others.includes(true)) {
      map.sourcesContent = others.map((isOther) => (isOther ? OF_OTHERS : null));
      map.ignoreList = [...others.keys()].filter((at) => others[at]);
    }
    await writeFile(join(folder, file), JSON.stringify(map));
  }
}

/** The maps of declarations were written elsewhere, and have one source. */
const sourceOf = (file: string, paths: readonly string[]): string => {
  const output = file.replace(/^dist\//, "").replace(/\.d\.ts\.map$/, "");
  const found = paths.find((path) => outputOf(path) === output);
  if (found === undefined) throw new Error(`${file} is a map of no source`);
  return found;
};
