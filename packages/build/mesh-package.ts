/** Builds `muster-mesh`: the SDK and the command line. */
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { emitDeclarations } from "./emit-declarations.ts";
import { emitModules } from "./emit-modules.ts";
import { emitPrograms } from "./emit-programs.ts";
import { copyLicenses } from "./licenses.ts";
import { moduleGraph } from "./module-graph.ts";
import { isVendored, ROOT } from "./paths.ts";
import { emitSources } from "./jsr-sources.ts";
import { fillMaps } from "./source-maps.ts";

const FOLDER = join(ROOT, "packages/mesh");

/** The modules that `exports` names and a program imports one by one. */
const PUBLIC = [
  "src/client/index.ts",
  "src/client/threads/thread-entry.ts",
  "src/stmf/index.ts",
  "workers/sealed-forms.ts",
];
const isOfRuntime = (specifier: string): boolean => specifier.startsWith("node:");

/** Hono is the user's own, because the middleware is part of the user's application. */
const isExternal = (specifier: string): boolean =>
  isOfRuntime(specifier) || /^hono(\/|$)/.test(specifier);

/** What programs use whole. What it needs besides is part of its files, and none of it belongs into a browser. */
const PROGRAMS = {
  entries: [
    "src/cli/main.ts",
    "src/cli/join/module-process.ts",
    "src/cli/demo/worker.ts",
    "src/cli/demo/controller.ts",
    "workers/replica.ts",
  ],
  folder: "programs",
  isExternal: isOfRuntime,
};
const REPLICA = "workers/replica.ts";

export async function buildMeshPackage(): Promise<void> {
  const dist = join(FOLDER, "dist");
  await rm(dist, { recursive: true, force: true });
  const graph = await moduleGraph(PUBLIC, isExternal);
  await emitModules(graph, dist);
  const bundled = await emitPrograms(PROGRAMS, dist);
  const declared = await emitDeclarations([...PUBLIC, REPLICA], graph, dist, isExternal);
  await fillMaps(FOLDER);
  await emitSources(
    graph.files.filter((path) => !isVendored(path)),
    FOLDER,
  );
  await copyLicenses([...graph.files, ...bundled, ...declared], dist);
  await copyFile(join(ROOT, "LICENSE"), join(FOLDER, "LICENSE"));
}
