import { open } from "node:fs/promises";
import { isDamagedError } from "../base/damaged-storage.ts";
import { quotedCommand } from "./command-name.ts";
import { Failure } from "./failure.ts";
import { errorCode } from "./files.ts";

/** SQLite's file format, section 1.3: the first page begins with a header of 100 bytes. */
const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";

/** The error about a database that can't be used. Nothing of Muster repairs one. */
export const damagedDatabase = (path: string, fault: string): Failure =>
  new Failure(
    `the database ${path} is damaged: ${fault}`,
    `restore a backup into a new folder (${quotedCommand("restore FILE --dir FOLDER")}), and keep this one until that mesh runs`,
  );

/** The error about a database that a mesh has written and that is gone: without it the mesh would begin anew, empty. */
export const missingDatabase = (path: string): Failure =>
  new Failure(
    `the mesh has run, and its database ${path} does not exist`,
    `put the file back, or restore a backup into a new folder (${quotedCommand("restore FILE --dir FOLDER")}); a new mesh needs another folder`,
  );

/** What SQLite says of a damaged database, as the error that names it; any other error as it is. */
export const orDamaged = (path: string, thrown: unknown): unknown =>
  isDamagedError(thrown) && !(thrown instanceof Failure)
    ? damagedDatabase(path, (thrown as Error).message)
    : thrown;

/**
 * Refuses a file that is no whole SQLite database, before a program that opens it fails with a stack or takes an empty file for a new mesh.
 * One that does not exist yet is none of that. Reads the header only: what is wrong inside SQLite finds when it reads it.
 * @param isUsed the mesh has run before, so that an empty file has lost what it had
 */
export async function requireDatabase(path: string, isUsed: boolean): Promise<void> {
  const fault = await headerFault(path, isUsed);
  if (fault !== null) throw damagedDatabase(path, fault);
}

async function headerFault(path: string, isUsed: boolean): Promise<string | null> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return null;
    throw new Failure(
      `cannot read the database ${path} (${errorCode(error)})`,
      "run the command as the owner of the folder",
    );
  });
  if (file === null) return null;
  try {
    const about = await file.stat();
    if (!about.isFile()) return about.isDirectory() ? "it is a folder" : "it is no file";
    if (about.size === 0) return isUsed ? "it is empty" : null;
    const header = Buffer.alloc(HEADER_BYTES);
    await file.read(header, 0, HEADER_BYTES, 0);
    if (header.toString("latin1", 0, MAGIC.length) !== MAGIC) return "it is no SQLite database";
    return (await hasLog(path)) ? null : sizeFault(header, about.size);
  } finally {
    await file.close();
  }
}

/** Pages that the file lacks may be in the log beside it. */
async function hasLog(path: string): Promise<boolean> {
  const log = await open(`${path}-wal`, "r").catch(() => null);
  if (log === null) return false;
  const { size } = await log.stat();
  await log.close();
  return size > 0;
}

/** The header states the size of a page (1 stands for 65,536 bytes) and their number, which is right if it was written with the change counter. */
function sizeFault(header: Buffer, bytes: number): string | null {
  const stated = header.readUInt16BE(16);
  const pageBytes = stated === 1 ? 65_536 : stated;
  const isCurrent = header.readUInt32BE(24) === header.readUInt32BE(92);
  const missing = header.readUInt32BE(28) * pageBytes - bytes;
  return isCurrent && missing > 0 ? `${missing} bytes are missing at its end` : null;
}
