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

/** What becomes of a secret that was made and could not be written. */
export interface Made<T> {
  /** Creates the secret at the mesh. */
  readonly create: () => Promise<T>;
  readonly textOf: (created: T) => string;
  /** Undoes the creation, and says so; or says how to get at the secret. */
  readonly undo: (created: T) => Promise<string>;
}

/**
 * Creates a secret and writes it to a new private file. The file is created first: a secret that is shown once must not be lost
 * because the file exists already. If it can't be written afterwards, as on a full disk, nobody has seen the secret, and it is undone.
 */
export async function createInto<T>(path: string, { create, textOf, undo }: Made<T>): Promise<T> {
  if (!(await writeNewFile(path, "")))
    throw new Failure(`${path} exists already`, "choose another --out");
  const discard = () => rm(path, { force: true });
  const created = await create().catch(async (error: unknown) => {
    await discard();
    throw error;
  });
  try {
    await replaceFile(path, `${textOf(created)}\n`);
    return created;
  } catch (error) {
    await discard();
    throw new Failure((error as Error).message, await undo(created));
  }
}

/** Creates a secret; with `--out`, into that new file. */
export const createSecret = <T>(out: string | undefined, made: Made<T>): Promise<T> =>
  out === undefined ? made.create() : createInto(out, made);

/** Revokes or removes what was made; says so, or which command does it. */
export async function undone(act: () => Promise<void>, done: string, by: string): Promise<string> {
  try {
    await act();
    return `${done}, because nobody has seen its secret`;
  } catch {
    return `it was made, and could not be undone: run ${by}`;
  }
}
