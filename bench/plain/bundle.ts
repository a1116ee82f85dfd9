import { writeFileSync } from "node:fs";
import { build } from "esbuild";

/**
 * Bundles a Worker into one module, as wrangler does but not minified, so that a profile shows the names of functions.
 * A source map is written beside it.
 */
export async function bundleWorker(entry: string, outfile: string): Promise<void> {
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
    logLevel: "error",
  });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
}
