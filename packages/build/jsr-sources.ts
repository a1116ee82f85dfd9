/** What JSR gets: the sources of the package. */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MAP_COMMENT } from "./emit-declarations.ts";
import { DECLARATIONS, fromRoot, ROOT } from "./paths.ts";

/** What a module imports from another one, types included: the code has no trace of those. */
const IMPORTED = /(?<=\bfrom "|\bimport\(")\.{1,2}\/[^"\n]+\.ts(?=")/g;

/**
 * Writes these modules into `sources/`, and all that their types need. What is needed for its types alone is written as its declarations: JSR
 * refuses types that it would have to infer, as those of the HTTP API are from its schemas. The package for npm does not contain the folder.
 */
export async function emitSources(modules: readonly string[], folder: string): Promise<void> {
  const sources = join(folder, "sources");
  await rm(sources, { recursive: true, force: true });
  const run = new Set(modules);
  const found = new Set(modules);
  // Files that are added while the set is read are read, too.
  for (const path of found) {
    const copy = join(sources, path);
    await mkdir(dirname(copy), { recursive: true });
    if (run.has(path)) await copyFile(join(ROOT, path), copy);
    else await writeFile(copy, await declarationsOf(path));
    const text = await readFile(copy, "utf8");
    for (const [named] of text.matchAll(IMPORTED))
      found.add(fromRoot(join(ROOT, path, "..", named)));
  }
}

async function declarationsOf(path: string): Promise<string> {
  const file = join(DECLARATIONS, path.replace(/\.ts$/, ".d.ts"));
  return (await readFile(file, "utf8")).replace(MAP_COMMENT, "");
}
