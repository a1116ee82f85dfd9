/** Copies the declarations that the public ones need: from `tsc -b`, and from the packages whose code is copied. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Graph, IsExternal } from "./module-graph.ts";
import { ONLY_ENGLISH } from "./only-english.ts";
import { DECLARATIONS, isVendored, outputOf, ROOT, specifier } from "./paths.ts";

/** A comment, or the module of an import or export in a declaration: the text before its name, the name, and the quote. */
const SPECIFIER = /\/\*[\s\S]*?\*\/|((?:\bfrom |\bimport\(|\bimport )")([^"\n]+)(")/g;

/** The package whose types, and nothing else, the modules need: those of the API are inferred from its schemas. */
const TYPES_ONLY = [["zod", "node_modules/zod/index.js"]] as const;

export const MAP_COMMENT = /\/\/# sourceMappingURL=.*\n?/;

/** The path of the declarations of a source, by its path from the root. */
const declarationOf = (path: string): string =>
  isVendored(path)
    ? join(ROOT, path.replace(/\.js$/, ".d.ts"))
    : join(DECLARATIONS, path.replace(/\.ts$/, ".d.ts"));

/** Returns the files whose declarations the package has. */
export async function emitDeclarations(
  entries: readonly string[],
  graph: Graph,
  dist: string,
  isExternal: IsExternal,
): Promise<readonly string[]> {
  const vendoredBy = packagesOf(graph);
  const done = new Set<string>();
  const todo = [...entries];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (done.has(path)) continue;
    done.add(path);
    const from = path;
    const text = ONLY_ENGLISH.file.test(`/${path}`)
      ? ONLY_ENGLISH.source
      : await readFile(declarationOf(path), "utf8");
    const rewritten = text.replaceAll(
      SPECIFIER,
      (whole: string, before?: string, named?: string, after?: string) => {
        if (named === undefined) return whole; // a comment
        const to = resolve(from, named, vendoredBy);
        if (to === null) {
          if (isExternal(named)) return whole;
          throw new Error(`the declarations of ${from} import ${named}, which users do not have`);
        }
        todo.push(to);
        return `${before}${specifier(outputOf(from), outputOf(to))}.js${after}`;
      },
    );
    // The maps of declarations lead to sources, which are in no file of the package.
    await write(path, rewritten.replace(MAP_COMMENT, ""), dist);
  }
  return [...done];
}

/** The file of each package that our modules and their declarations import. */
function packagesOf({ imports }: Graph): ReadonlyMap<string, string> {
  const all = [...imports.values()].flatMap((named) => [...named]);
  return new Map([
    ...TYPES_ONLY,
    ...all.filter(([named, path]) => !named.startsWith(".") && isVendored(path)),
  ]);
}

function resolve(
  from: string,
  named: string,
  packages: ReadonlyMap<string, string>,
): string | null {
  if (!named.startsWith(".")) return packages.get(named) ?? null;
  const path = join(dirname(from), named);
  return [path, path.replace(/\.js$/, ".ts")].find((one) => existsSync(declarationOf(one))) ?? null;
}

async function write(path: string, text: string, dist: string): Promise<void> {
  const file = join(dist, `${outputOf(path)}.d.ts`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
