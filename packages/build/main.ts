/** `npm run build`: writes what the npm packages contain, `packages/mesh/dist` and `packages/server/dist`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildMeshPackage } from "./mesh-package.ts";
import { ROOT } from "./paths.ts";
import { buildServerPackage } from "./server-package.ts";

const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "-b"], { cwd: ROOT, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

await buildMeshPackage();
await buildServerPackage();
