import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { controller } from "../../src/client/index.ts";
import { meshKeyOf, newSecrets } from "../../src/cli/state-folder.ts";
import { bundleWorker, type Replacement } from "./bundle.ts";
import type { Binding } from "./config.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

const PROJECT = new URL("../../", import.meta.url);
const GATEWAY = fileURLToPath(new URL("workers/gateway.ts", PROJECT));
const KV_WORKER = fileURLToPath(new URL("kv-worker.ts", import.meta.url));
/** The peers of the benches are strangers, and all connect from one address, which has a limit of handshakes. */
const VARIABLES = { AUTH_MODE: "open", HANDSHAKES_PER_MINUTE: "6000", ALLOW_LOOPBACK: "true" };

/** A mesh on plain workerd. */
export interface PlainMesh extends Workerd {
  readonly adminToken: string;
  /** The public key of the mesh, in hex. */
  readonly meshKey: string;
  /** The bundled Worker; its source map is beside it. */
  readonly bundle: string;
}

export interface PlainMeshOptions {
  /** A new folder for configuration, bundles and data. */
  readonly dir: string;
  /** Makes a variant of the Worker. */
  readonly replacement?: Replacement;
  readonly inspector?: boolean;
}

/** Starts a mesh with new secrets; resolves when it answers. */
export async function startPlainMesh({
  dir,
  replacement,
  inspector = false,
}: PlainMeshOptions): Promise<PlainMesh> {
  await mkdir(dir, { recursive: true });
  const bundle = join(dir, "gateway.js");
  await bundleWorker(GATEWAY, bundle, replacement);
  await bundleWorker(KV_WORKER, join(dir, "kv.js"));
  const secrets = newSecrets();
  const variables = { ...VARIABLES, ...secrets };
  const compatibilityDate = await compatibilityDateOf(new URL("wrangler.toml", PROJECT));
  const workerd = await startWorkerd({
    dir,
    inspector,
    workers: [
      {
        name: "mesh",
        module: "gateway.js",
        compatibilityDate,
        classes: ["PeerSession", "Coordinator"],
        bindings: [
          { type: "namespace", name: "PEER_SESSION", className: "PeerSession" },
          { type: "namespace", name: "COORDINATOR", className: "Coordinator" },
          { type: "kv", name: "BLOBS", service: "kv" },
          ...Object.entries(variables).map(([name, value]): Binding => ({
            type: "text",
            name,
            value,
          })),
        ],
      },
      {
        name: "kv",
        module: "kv.js",
        compatibilityDate,
        classes: ["Store"],
        bindings: [{ type: "namespace", name: "STORE", className: "Store" }],
      },
    ],
  });
  await controller({ url: workerd.url }).settings.mesh();
  const { ADMIN_TOKEN: adminToken } = secrets;
  return { ...workerd, adminToken, meshKey: meshKeyOf(secrets), bundle };
}

/** The compatibility date of a Worker's wrangler.toml. */
export async function compatibilityDateOf(manifest: URL): Promise<string> {
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(await readFile(manifest, "utf8"))?.[1];
  if (date === undefined) throw new Error(`${manifest.pathname} has no compatibility date`);
  return date;
}
