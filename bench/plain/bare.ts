import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorker } from "./bundle.ts";
import { compatibilityDateOf } from "./mesh.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

const BARE = new URL("../bare/", import.meta.url);

/** Starts the bare objects of `bench/bare` on plain workerd, with their data in a new folder. */
export async function startPlainBare(dir: string): Promise<Workerd> {
  await mkdir(dir, { recursive: true });
  await bundleWorker(fileURLToPath(new URL("worker.ts", BARE)), join(dir, "bare.js"));
  return startWorkerd({
    dir,
    workers: [
      {
        name: "bare",
        module: "bare.js",
        compatibilityDate: await compatibilityDateOf(new URL("wrangler.toml", BARE)),
        classes: ["Echo", "Ledger"],
        bindings: [
          { type: "namespace", name: "ECHO", className: "Echo" },
          { type: "namespace", name: "LEDGER", className: "Ledger" },
        ],
      },
    ],
  });
}
