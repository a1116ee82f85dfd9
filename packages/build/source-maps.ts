/** The maps of a package contain the sources to which they lead. */
import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromRoot, isVendored, ROOT, specifier } from "./paths.ts";

interface SourceMap {
  sources: string[];
  sourceRoot?: string;
  sourcesContent?: string[];
  /** Debuggers step over these sources. */
  ignoreList?: number[];
}

/** What stands for the sources of other packages, whose code the maps leave out. */
const OF_OTHERS = "// The code of another package.\n";

const sourceOf = async (path: string): Promise<string> =>
  isVendored(path) ? OF_OTHERS : readFile(join(ROOT, path), "utf8");

/**
 * Puts into each map of a package in `folder` the sources that it names. A stack trace then shows a source by its path in the checkout, below the
 * package: a file of a package takes 4 kB on most disks, and there would be one for each of 500 sources.
 */
export async function fillMaps(folder: string): Promise<void> {
  for (const file of globSync("dist/**/*.map", { cwd: folder })) {
    const map = JSON.parse(await readFile(join(folder, file), "utf8")) as SourceMap;
    const paths = map.sources.map((source) => fromRoot(join(folder, file, "..", source)));
    const others = [...paths.keys()].filter((at) => isVendored(paths[at] ?? ""));
    map.sources = paths.map((path) => specifier(file, path));
    map.sourcesContent = await Promise.all(paths.map(sourceOf));
    delete map.sourceRoot;
    if (others.length > 0) map.ignoreList = others;
    await writeFile(join(folder, file), JSON.stringify(map));
  }
}
