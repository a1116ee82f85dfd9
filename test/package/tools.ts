/** Programs that only these tests need. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

export const ROOT = join(import.meta.dirname, "../..");
export const TOOLS = join(import.meta.dirname, "tools");

const exec = promisify(execFile);
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeout?: number;
}

/** Runs a program; rejects with its output if it fails. */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env = {}, timeout = 170_000 }: RunOptions,
): Promise<string> {
  try {
    const options = { cwd, timeout, maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, ...env } };
    return (await exec(program, [...args], options)).stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as Error & Printed;
    throw new Error([message, stdout, stderr].join("\n"), { cause: error });
  }
}

/** What a program that failed has printed: the `cause` of the error. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of the tests' own `package.json`. */
export const tool = (name: string): string => join(TOOLS, "node_modules/.bin", name);

/** A program of the checkout's `node_modules`. */
export const rootTool = (name: string): string => join(ROOT, "node_modules/.bin", name);

/** The version of the oldest Node that `engines` of the package states, which the tools bring. */
export const OLDEST_NODE = "22.12.0";
export const NEWEST_NODE = process.versions.node;

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
export const chromium = (): string | undefined => CHROMIUM.find((path) => existsSync(path));

/** Installs the tools as their lock says, unless they are there. */
export async function installTools(): Promise<void> {
  const lock = readFileSync(join(TOOLS, "package-lock.json"), "utf8");
  const mark = join(TOOLS, "node_modules/.installed-lock.json");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  await run("npm", ["ci"], { cwd: TOOLS, timeout: 300_000 });
  await writeFile(mark, lock);
}
