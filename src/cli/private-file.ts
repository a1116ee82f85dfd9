import { rm, stat } from "node:fs/promises";
import { Failure } from "./failure.ts";
import { readFileIfExists, readInputFile, replaceFile, writeNewFile } from "./files.ts";
import { note } from "./output.ts";

/** The permissions of the group and of all others. */
const OTHERS = 0o077;

/** The text of a file with secrets; null when it does not exist. Says so when others than its owner may read the file. */
export async function readPrivateFile(path: string): Promise<string | null> {
  const text = await readFileIfExists(path);
  if (text !== null) await noteReaders(path);
  return text;
}

/** The same of a file that the user has named, which must exist; `hint` says what it is for. */
export async function readPrivateInput(path: string, hint: string): Promise<string> {
  const text = await readInputFile(path, hint);
  await noteReaders(path);
  return text;
}

async function noteReaders(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const about = await stat(path).catch(() => null);
  // A pipe, as of `<(command)`, has no permissions that matter.
  if (about?.isFile() === true && (about.mode & OTHERS) !== 0)
    note(`warning: other users may read ${path}, which has a secret; run: chmod 600 ${path}`);
}

/**
 * Creates a secret and writes it to a new private file. The file is created first: a secret that is shown once must not be lost
 * because the file exists already.
 */
export async function createInto<T>(
  path: string,
  create: () => Promise<T>,
  textOf: (created: T) => string,
): Promise<T> {
  if (!(await writeNewFile(path, "")))
    throw new Failure(`${path} exists already`, "choose another --out");
  try {
    const created = await create();
    await replaceFile(path, `${textOf(created)}\n`);
    return created;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
