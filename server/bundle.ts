import { access, chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PRIVATE_FILE } from "../src/cli/files.ts";
import { Failure } from "../src/cli/failure.ts";
import { BundleCache } from "./bundle-cache.ts";

/** The Workers that a mesh consists of, and the files of their bundles. */
export const BUNDLES = { mesh: "mesh.js", kv: "kv.js", outbound: "outbound.js" } as const;

const ENTRIES: Readonly<Record<keyof typeof BUNDLES, string>> = {
  mesh: "../workers/gateway.ts",
  kv: "workers/kv.ts",
  outbound: "workers/outbound.ts",
};

/** Where the bundles are in the npm package. */
const BUILT = fileURLToPath(new URL("workers/", import.meta.url));

const FILES = Object.values(BUNDLES);
const CHECKOUT = fileURLToPath(new URL("../", import.meta.url));

/** Puts the bundled Workers into a private folder: those of the package, or in a checkout those of its sources. */
export async function provideBundles(folder: string): Promise<void> {
  await putBundles(folder);
  for (const file of FILES) await chmod(join(folder, file), PRIVATE_FILE);
}

async function putBundles(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const built = join(BUILT, BUNDLES.mesh);
  const isPackage = await access(built).then(
    () => true,
    () => false,
  );
  if (!isPackage) {
    await new BundleCache(CHECKOUT, FILES).provide(folder, bundleWorkers);
    return;
  }
  for (const file of FILES) await copyFile(join(BUILT, file), join(folder, file));
}

/**
 * Bundles the Workers with the settings of `wrangler deploy`, so that the same code runs here and on Cloudflare. esbuild is a
 * dependency of the checkout, not of the package. Returns the files that are in the bundles.
 */
export async function bundleWorkers(folder: string): Promise<readonly string[]> {
  const { build, stop } = await import("esbuild");
  const { buildDashboard } = await import("../dashboard/build/build-dashboard.ts");
  try {
    await buildDashboard();
    const { metafile } = await build({
      metafile: true,
      entryPoints: Object.entries(ENTRIES).map(([name, entry]) => ({
        in: fileURLToPath(new URL(entry, import.meta.url)),
        out: name,
      })),
      outdir: folder,
      bundle: true,
      format: "esm",
      target: "es2024",
      supported: { "import-source": true, using: true },
      platform: "browser",
      conditions: ["workerd", "worker", "browser"],
      keepNames: true,
      external: ["cloudflare:*", "node:*"],
      loader: { ".txt": "text", ".html": "text", ".sql": "text" },
      define: {
        "process.env.NODE_ENV": '"production"',
        "global.process.env.NODE_ENV": '"production"',
        "globalThis.process.env.NODE_ENV": '"production"',
        "navigator.userAgent": '"Cloudflare-Workers"',
      },
      logLevel: "silent",
    });
    return Object.keys(metafile.inputs);
  } catch (error) {
    throw new Failure("the Worker does not build", undefined, String(error).split("\n"));
  } finally {
    // esbuild runs as a process of its own.
    await stop();
  }
}
