/** How large the browser bundle of a program is that imports these names of the SDK. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface BundleSize {
  readonly bytes: number;
  readonly gzipped: number;
}

/** `folder` resolves the import: the root of the checkout (module `muster`), or a folder with the installed package (`muster-mesh`). */
export async function bundleSize(
  names: readonly string[],
  { folder, module }: { readonly folder: string; readonly module: string },
): Promise<BundleSize> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${names.join(", ")} } from ${JSON.stringify(module)};`,
      resolveDir: folder,
    },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  const [{ contents }] = outputFiles as [(typeof outputFiles)[number]];
  return { bytes: contents.byteLength, gzipped: gzipSync(contents, { level: 9 }).byteLength };
}
