import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { Failure } from "./failure.ts";

/** Readable by its owner alone: for keys, tokens and what stands beside them. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

/** The file's text, or null when there is none; any other trouble is the user's to know. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw new Failure(`${path} can't be read (${errorCode(error)})`);
  }
}

/** Writes a private file that must not exist yet; false when it does. */
export async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { mode: PRIVATE_FILE, flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw new Failure(`${path} can't be written (${errorCode(error)})`);
  }
}

/** Replaces a private file in one step: a reader sees the old text or the new. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomUUID()}.new`;
  try {
    await writeFile(fresh, text, { mode: PRIVATE_FILE });
    await rename(fresh, path);
  } catch (error) {
    throw new Failure(`${path} can't be written (${errorCode(error)})`);
  }
}
