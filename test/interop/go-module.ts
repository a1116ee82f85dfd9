import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, "go-peer");
/** Downloading and compiling from nothing takes two minutes on two busy cores. */
const BUILD_MS = 400_000;

/** Fetches the Go sources that the tests need, Borg's among them; the reason why they can't be had, where they can't. */
export async function fetchGoModules(): Promise<string | null> {
  try {
    await run("go", ["version"]);
  } catch {
    return "Go is not installed";
  }
  try {
    await run("go", ["mod", "download"], { cwd: SOURCE, timeout: BUILD_MS });
  } catch {
    return "Go's module proxy can't be reached, or no longer has the Borg module";
  }
  return null;
}

/** Builds a program of ours over Borg's Go code; `folder` is below go-peer/. */
export const buildGo = async (folder: string, binary: string): Promise<unknown> =>
  run("go", ["build", "-o", binary, folder], { cwd: SOURCE, timeout: BUILD_MS });

/** Where Borg's published sources lie, all of them: the module is the whole repository. */
export async function borgSources(): Promise<string> {
  const args = ["list", "-m", "-f", "{{.Dir}}", "github.com/Snider/Borg"];
  return (await run("go", args, { cwd: SOURCE })).stdout.trim();
}
