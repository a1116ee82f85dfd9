/** How large the browser bundle of a program is that imports these names of the SDK. */
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";

export interface BundleSize {
  /** All that the bundle contains. */
  readonly gzipped: number;
  /** What a page loads at once: without the parts that the SDK imports when it needs them. */
  readonly atOnce: number;
}

/** `folder` resolves the import: the root of the checkout (module `muster`), or a folder with the installed package (`muster-mesh`). */
export async function bundleSize(
  names: readonly string[],
  { folder, module }: { readonly folder: string; readonly module: string },
): Promise<BundleSize> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { ${names.join(", ")} } from ${JSON.stringify(module)};`,
      resolveDir: folder,
    },
    bundle: true,
    splitting: true,
    outdir: "out",
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [
      basename(path),
      gzipSync(contents, { level: 9 }).byteLength,
    ]),
  );
  const total = (paths: Iterable<string>): number =>
    [...paths].reduce((sum, path) => sum + (sizes.get(basename(path)) ?? 0), 0);
  return { gzipped: total(sizes.keys()), atOnce: total(loadedAtOnce(metafile)) };
}

/** The files that the program imports by statements, and those that these import. */
function loadedAtOnce({ outputs }: Metafile): ReadonlySet<string> {
  const found = new Set(
    Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === "<stdin>"),
  );
  // Files that are added while the set is read are read, too.
  for (const path of found)
    for (const { kind, path: next } of outputs[path]?.imports ?? [])
      if (kind === "import-statement") found.add(next);
  return found;
}
