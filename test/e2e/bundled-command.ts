/**
 * Bundles the command of this checkout once for all tests that start it, with the server and its Workers: it then starts in half the
 * time. It is the same code in fewer files, and says what it says in a checkout. `smoke.test.ts` and the tests that name `main.ts` run
 * the sources themselves.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type Plugin } from "esbuild";
import type { TestProject } from "vitest/node";
import { BESIDE, externals } from "../../packages/build/module-graph.ts";
import { onlyEnglish } from "../../packages/build/only-english.ts";
import { ROOT } from "../../packages/build/paths.ts";
import { PROGRAM_OPTIONS } from "../../packages/build/program-options.ts";
import { bundleWorkers } from "../../server/bundle.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The program to start; without it the sources are. */
    command?: string;
  }
}

const ENTRIES = [
  "src/cli/main.ts",
  "src/cli/join/module-process.ts",
  "src/cli/demo/worker.ts",
  "src/cli/demo/controller.ts",
  "src/client/threads/thread-entry.ts",
  "server/index.ts",
];
/** What names a program of an installed package is `.js`. */
const EXTENSION = ".mjs";
const SERVER = '"../../server/index.ts"';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // As far from the root of the checkout as the sources of the command.
  const folder = await mkdtemp(join(ROOT, "node_modules/.muster-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await build({
      ...PROGRAM_OPTIONS,
      entryPoints: ENTRIES.map((entry) => ({ in: entry, out: basename(entry, ".ts") })),
      outdir: folder,
      outExtension: { ".js": EXTENSION },
      plugins: [
        externals((name) => /^(node:|(workerd|esbuild)$)/.test(name)),
        onlyEnglish,
        besides,
      ],
    });
    // Where the host finds them, which it does not bundle itself then.
    await mkdir(join(folder, "workers"));
    await bundleWorkers(join(folder, "workers"));
  } catch (error) {
    await remove();
    throw error;
  }
  project.provide("command", join(folder, `main${EXTENSION}`));
  return remove;
}

/** All programs are in one folder: a module that names a file by its URL, or the server, names what is built from it. */
const besides: Plugin = {
  name: "besides",
  setup: (bundler) =>
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (path.endsWith("/server-package.ts") && !source.includes(SERVER))
        throw new Error(`${path} does not name ${SERVER}`);
      const contents = source
        .replaceAll(BESIDE, (_, beside: string) => `"./${basename(beside)}${EXTENSION}"`)
        .replaceAll(SERVER, `"./index${EXTENSION}"`);
      return { contents, loader: "ts" };
    }),
};
