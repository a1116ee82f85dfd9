import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { UsageError } from "../failure.ts";
import { unreadableInput } from "../files.ts";
import { TASK_PAYLOAD_BYTES_MAX } from "../../protocol/constants.ts";
import { PACKAGE_FOLDER, MODULES_FOLDER } from "../package-folder.ts";
import type { Digest } from "./messages.ts";

/** The payload holds the file in base64 (4 characters for 3 bytes) and its name, for which 8 KiB are reserved. */
const FILE_BYTES_MAX = Math.floor(((TASK_PAYLOAD_BYTES_MAX - 8 * 1_024) * 3) / 4);

export interface DemoFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** What the demo computes itself, with other functions than the workers use. */
  readonly expected: Digest;
}

/** Reads the files for the demo; a folder stands for every file in it. Default: Muster's own modules that a task can hold. */
export async function readFiles(paths: readonly string[]): Promise<readonly DemoFile[]> {
  const base = paths.length === 0 ? PACKAGE_FOLDER : process.cwd();
  const found =
    paths.length === 0 ? await ownModules() : (await Promise.all(paths.map(filesOf))).flat();
  if (found.length === 0) throw new UsageError("there are no files to hash");
  // One after another: a folder may hold more files than a process may open at once.
  const files: DemoFile[] = [];
  for (const path of found) files.push(await readOne(path, base));
  return files;
}

async function ownModules(): Promise<readonly string[]> {
  const modules = (await filesOf(MODULES_FOLDER)).filter((path) => /\.[jt]s$/.test(path));
  const sizes = await Promise.all(modules.map((path) => stat(path)));
  return modules.filter((_, index) => (sizes[index]?.size ?? 0) <= FILE_BYTES_MAX);
}

async function filesOf(path: string): Promise<readonly string[]> {
  const what = await stat(path).catch((error: unknown) => unreadable(path, error));
  if (what.isFile()) return [path];
  if (!what.isDirectory()) throw new UsageError(`${path} is neither a file nor a folder`);
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

async function readOne(path: string, base: string): Promise<DemoFile> {
  const bytes = await readFile(path).catch((error: unknown) => unreadable(path, error));
  if (bytes.length > FILE_BYTES_MAX) {
    throw new UsageError(
      `${path} has ${bytes.length} bytes`,
      `the payload of a task holds a file of at most ${FILE_BYTES_MAX} bytes`,
    );
  }
  const inside = relative(base, path);
  const name = inside.startsWith("..") ? path : inside;
  return { name, bytes, expected: expectedOf(bytes) };
}

function expectedOf(bytes: Buffer): Digest {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  // latin1 maps every byte to one character, so that every newline is found.
  const lines = bytes.toString("latin1").split("\n");
  return { sha256, lines: lines.at(-1) === "" ? lines.length - 1 : lines.length };
}

function unreadable(path: string, error: unknown): never {
  throw unreadableInput(path, error);
}
