import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, "go-peer");
/** Downloading and compiling everything takes two minutes on two busy cores. */
const BUILD_MS = 400_000;

/** Downloads the Go modules of the tests, such as Borg's; returns the reason when that is impossible, else null. */
export async function fetchGoModules(): Promise<string | null> {
  try {
    await run("go", ["version"]);
  } catch {
    return "Go is not installed";
  }
  try {
    await run("go", ["mod", "download"], { cwd: SOURCE, timeout: BUILD_MS });
  } catch {
    return "the Go module proxy is unreachable or does not have the Borg module";
  }
  return null;
}

/** Builds one of our Go programs, which use Borg's module; `folder` is relative to go-peer/. */
export const buildGo = async (folder: string, binary: string): Promise<unknown> =>
  run("go", ["build", "-o", binary, folder], { cwd: SOURCE, timeout: BUILD_MS });

/** The folder of Borg's sources: the module contains the whole repository. */
export async function borgSources(): Promise<string> {
  const args = ["list", "-m", "-f", "{{.Dir}}", "github.com/Snider/Borg"];
  return (await run("go", args, { cwd: SOURCE })).stdout.trim();
}
