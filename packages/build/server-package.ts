/** Builds `muster-mesh-server`: the host on plain workerd and the Worker that it runs. */
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundleWorkers } from "../../server/bundle.ts";
import { emitPrograms } from "./emit-programs.ts";
import { copyLicenses } from "./licenses.ts";
import { ROOT } from "./paths.ts";
import { fillMaps } from "./source-maps.ts";

const FOLDER = join(ROOT, "packages/server");

/** The host. What it needs besides workerd is part of its file. */
const HOST = "server/index.ts";

/** Where the host looks for its Workers, which it does not bundle itself then. */
const WORKERS = "server/workers";

/** workerd is a program for one platform: npm installs it beside the package. Only a checkout has esbuild. */
const isExternal = (specifier: string): boolean => /^(node:|(workerd|esbuild)$)/.test(specifier);

export async function buildServerPackage(): Promise<void> {
  const dist = join(FOLDER, "dist");
  await rm(dist, { recursive: true, force: true });
  await copyFile(join(ROOT, "LICENSE"), join(FOLDER, "LICENSE"));
  const host = await emitPrograms({ entries: [HOST], folder: "server", isExternal }, dist);
  const workers = await bundleWorkers(join(dist, WORKERS));
  await copyLicenses([...host, ...workers], dist);
  await fillMaps(FOLDER);
}
