/** How large the bundle for browsers is of a program that imports names of a module, and what is in it. */
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";

export interface BundleSize {
  /** What a page loads at once, in bytes after gzip: without the parts that the SDK imports when it needs them. */
  readonly atOnce: number;
  /** The files of which something is in the bundle. */
  readonly contained: readonly string[];
}

/** What a page may load at once for one part of the SDK, in kilobytes (1,000 bytes) after gzip. */
export const KILOBYTES_MAX = { connectPeer: 60, controller: 25 } as const;

/** A program that is to be bundled. `folder` resolves its import, and has the program's file. */
export interface BundledProgram {
  readonly names: readonly string[];
  readonly module: string;
  readonly folder: string;
}

export const programOf = ({ names, module }: BundledProgram): string =>
  `export { ${names.join(", ")} } from ${JSON.stringify(module)};`;

export const gzipped = (code: string | Uint8Array): number =>
  gzipSync(code, { level: 9 }).byteLength;

/** The size of the bundle that esbuild makes, with code splitting. */
export async function bundleSize(program: BundledProgram): Promise<BundleSize> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: programOf(program), resolveDir: program.folder, loader: "ts" },
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
    outputFiles.map(({ path, contents }) => [basename(path), gzipped(contents)]),
  );
  const atOnce = [...loadedAtOnce(metafile)].map((path) => sizes.get(basename(path)) ?? 0);
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return {
    atOnce: atOnce.reduce((sum, size) => sum + size, 0),
    contained: inputs.filter(([, part]) => part.bytesInOutput > 0).map(([path]) => path),
  };
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
