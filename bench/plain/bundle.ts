import { writeFileSync } from "node:fs";
import { build, type Plugin } from "esbuild";

/** Another file to bundle instead of a source file, to measure a variant of the Worker. */
export interface Replacement {
  /** The end of the path that modules import. */
  readonly imported: string;
  readonly by: string;
}

/**
 * Bundles a Worker into one module, as wrangler does but not minified, so that a profile shows the names of functions.
 * A source map is written beside it.
 */
export async function bundleWorker(
  entry: string,
  outfile: string,
  replacement?: Replacement,
): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    define: {
      "process.env.NODE_ENV": '"production"',
      "navigator.userAgent": '"Cloudflare-Workers"',
    },
    sourcemap: "external",
    plugins: replacement === undefined ? [] : [replacing(replacement)],
    logLevel: "error",
  });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
}

const replacing = ({ imported, by }: Replacement): Plugin => ({
  name: "replace",
  setup(bundling) {
    let replaced = 0;
    bundling.onResolve({ filter: /^\./ }, ({ path, importer }) => {
      if (!path.endsWith(imported) || importer === by) return undefined;
      replaced++;
      return { path: by };
    });
    bundling.onEnd(() => {
      if (replaced === 0) throw new Error(`no module imports ${imported}`);
    });
  },
});
