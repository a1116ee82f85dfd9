/** The maps of a package contain the sources to which they lead, each once. */
import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromRoot, isVendored, ROOT, specifier } from "./paths.ts";

interface SourceMap {
  sources: string[];
  sourceRoot?: string;
  sourcesContent?: (string | null)[];
  /** Debuggers step over these sources. */
  ignoreList?: number[];
}

/** What stands for the sources of other packages, whose code the maps leave out. */
const OF_OTHERS = "// The code of another package.\n";

const sourceOf = async (path: string): Promise<string> =>
  isVendored(path) ? OF_OTHERS : readFile(join(ROOT, path), "utf8");

const isProgram = (file: string): number => Number(file.startsWith("dist/programs/"));

/** The files of modules before those of programs: whoever imports a module can step into it. */
const inOrder = (files: readonly string[]): readonly string[] =>
  files.toSorted((a, b) => isProgram(a) - isProgram(b) || (a < b ? -1 : 1));

/**
 * Puts into the maps of a package in `folder` the sources that they name, each into the first map that names it: programs have copies of most
 * modules, and their sources would be a megabyte more. A stack trace then shows a source by its path in the checkout, below the
 * package: a file of a package takes 4 kB on most disks, and there would be one for each of 500 sources.
 */
export async function fillMaps(folder: string): Promise<void> {
  const contained = new Set<string>();
  for (const file of inOrder(globSync("dist/**/*.map", { cwd: folder }))) {
    const map = JSON.parse(await readFile(join(folder, file), "utf8")) as SourceMap;
    const paths = map.sources.map((source) => fromRoot(join(folder, file, "..", source)));
    const others = [...paths.keys()].filter((at) => isVendored(paths[at] ?? ""));
    map.sources = paths.map((path) => specifier(file, path));
    map.sourcesContent = await Promise.all(
      paths.map(async (path) => (contained.has(path) ? null : sourceOf(path))),
    );
    for (const path of paths) contained.add(path);
    delete map.sourceRoot;
    if (others.length > 0) map.ignoreList = others;
    await writeFile(join(folder, file), JSON.stringify(map));
  }
}
