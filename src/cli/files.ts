import { randomUUID } from "node:crypto";
import { link, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { dirname } from "node:path";
import { readBounded } from "./bounded-input.ts";
import { Failure, UsageError } from "./failure.ts";
import { systemRemedy } from "./system-codes.ts";

/** Only the owner may read it: for keys, tokens and the files beside them. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

const textOf = async (path: string): Promise<string> =>
  (await readBounded(createReadStream(path), path)).toString("utf8");

/** The text of a file; null when the file does not exist. Any other error is a `Failure`. */
export async function readFileIfExists(path: string): Promise<string | null> {
  try {
    return await textOf(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // A part of the path may be a file, and no folder.
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return null;
    throw new Failure(`cannot read ${path} (${errorCode(error)})`, systemRemedy(errorCode(error)));
  }
}

/**
 * The text of a file that the user has named. One that does not exist, or can't be read, is an error of the call, whose `hint` says what the
 * file is for.
 */
export const readInputFile = (path: string, hint?: string): Promise<string> =>
  textOf(path).catch((error: unknown) => {
    throw unreadableInput(path, error, hint);
  });

/** The error about a file that the user has named. One that says already what is wrong stays as it is. */
export function unreadableInput(path: string, error: unknown, hint?: string): UsageError {
  if (error instanceof UsageError) return error;
  const code = errorCode(error);
  const isMissing = code === "ENOENT" || code === "ENOTDIR";
  return new UsageError(
    isMissing ? `${path} does not exist` : `cannot read ${path} (${code})`,
    isMissing ? hint : [systemRemedy(code), hint].filter((each) => each !== undefined).join("; "),
  );
}

/** The error about a file of Muster's own that can't be written. */
export const unwritable = (path: string, error: unknown): Failure =>
  new Failure(`cannot write ${path} (${errorCode(error)})`, systemRemedy(errorCode(error)));

/** The error about a folder that can't be created, by its code. A path that leads through a file is an error of the call; what else the system refuses is its state. */
export function noFolder(path: string, error: unknown, choose: string): Failure {
  const code = errorCode(error);
  // mkdir reports a file of that name as EEXIST.
  const isFile = code === "EEXIST" || code === "ENOTDIR";
  const remedy = isFile ? "a part of that path is a file, and no folder" : systemRemedy(code);
  const Kind = isFile ? UsageError : Failure;
  return new Kind(
    `cannot create the folder ${path} (${code})`,
    [remedy, choose].filter((each) => each !== undefined).join("; or "),
  );
}

/** Creates a private file, at once with its whole text; returns false when the file exists already. */
export async function writeNewFile(path: string, text: string): Promise<boolean> {
  try {
    return await withTemporary(path, text, async (temporary) => {
      await link(temporary, path);
      return true;
    });
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    if (HAS_NO_LINKS.has(errorCode(error) ?? "")) return writeExclusively(path, text);
    throw unwritable(path, error);
  }
}

/** Replaces a private file atomically: a reader, or a restart after a power failure, sees either the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  try {
    // A symbolic link, as of a folder of settings that is kept elsewhere, stays one.
    const target = await realpath(path).catch(() => path);
    await withTemporary(target, text, (temporary) => rename(temporary, target));
    await syncFolder(dirname(target));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** What `link` reports on file systems without hard links, such as FAT. */
export const HAS_NO_LINKS = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

async function writeExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeSynced(path, text);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw unwritable(path, error);
  }
}

/** Writes the text to a file beside `path`, which is gone afterwards: renamed by `use`, or removed. */
async function withTemporary<T>(
  path: string,
  text: string,
  use: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeSynced(temporary, text);
    return await use(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", PRIVATE_FILE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last. Windows can't open a folder, and needs no such step. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** Makes a private folder and those above it; one that exists stays as it is. Node's own `recursive` never ends where a file system refuses a folder with ENOENT, as /proc does. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (errorCode(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    if (errorCode(error) !== "ENOENT" || (await exists(above))) throw error;
    await makeFolder(above);
    // Another process may have made it meanwhile.
    await makeFolder(path);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
