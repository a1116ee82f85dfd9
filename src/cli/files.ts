import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { Failure } from "./failure.ts";

/** Only the owner may read it: for keys, tokens and the files beside them. */
const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

/** The text of a file; null when the file does not exist. Any other error is a `Failure`. */
export async function readFileIfExists(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw new Failure(`cannot read ${path} (${errorCode(error)})`);
  }
}

/** Creates a private file; returns false when the file exists already. */
export async function writeNewFile(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { mode: PRIVATE_FILE, flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw new Failure(`cannot write ${path} (${errorCode(error)})`);
  }
}

/** Replaces a private file atomically: a reader sees either the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    await writeFile(temporary, text, { mode: PRIVATE_FILE });
    await rename(temporary, path);
  } catch (error) {
    throw new Failure(`cannot write ${path} (${errorCode(error)})`);
  }
}
