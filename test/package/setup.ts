/** Builds and packs the packages once, installs them in fresh folders outside of the checkout, and starts a mesh for all tests. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { loadServer } from "../../src/cli/server-package.ts";
import { installTools, ROOT, run } from "./tools.ts";

export interface Installed {
  /** The packed packages. */
  readonly tarballs: { readonly mesh: string; readonly server: string };
  /** A folder in which only `muster-mesh` is installed, with the test programs. */
  readonly sdkFolder: string;
  /** A folder with both packages and Hono. */
  readonly allFolder: string;
  readonly mesh: { readonly url: string; readonly token: string; readonly meshKey: string };
}

declare module "vitest" {
  interface ProvidedContext {
    installed: Installed;
  }
}

const PROGRAMS = join(import.meta.dirname, "programs");

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "muster-package-"));
  const { startMesh } = await loadServer();
  const mesh = startMesh({ dir: join(folder, ".muster"), port: 0 });
  const end = async (): Promise<void> => {
    await (await mesh).stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const tools = installTools();
    const tarballs = await packAll(folder);
    const hono = `hono@${await honoVersion()}`;
    const [sdkFolder, allFolder] = await Promise.all([
      install(join(folder, "sdk"), [tarballs.mesh]),
      install(join(folder, "all"), [tarballs.mesh, tarballs.server, hono]),
    ]);
    await tools;
    const { url, adminToken: token, meshKey } = await mesh;
    project.provide("installed", {
      tarballs,
      sdkFolder,
      allFolder,
      mesh: { url, token, meshKey },
    });
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

async function packAll(folder: string): Promise<Installed["tarballs"]> {
  await run("npm", ["run", "build"], { cwd: ROOT });
  const pack = async (name: string): Promise<string> => {
    const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
    const [packed] = JSON.parse(await run("npm", args, { cwd: join(ROOT, "packages", name) })) as [
      { filename: string },
    ];
    return join(folder, packed.filename);
  };
  return { mesh: await pack("mesh"), server: await pack("server") };
}

async function install(folder: string, packages: readonly string[]): Promise<string> {
  await mkdir(folder);
  const manifest = { name: "user", private: true, type: "module" };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await run("npm", ["install", "--prefer-offline", ...packages], { cwd: folder });
  await cp(PROGRAMS, folder, { recursive: true });
  return folder;
}

async function honoVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return manifest.dependencies["hono"] ?? "";
}
