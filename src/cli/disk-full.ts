import { isFullError } from "../base/full-storage.ts";

/** SQLite's extended code for the index of its log (`-shm`) that finds no room. Its text is only "disk I/O error". */
const SQLITE_IOERR_SHMSIZE = 4_874;

/** Whether a call failed because the disk is full: the system says so, or SQLite. */
export const isDiskFull = (error: unknown): boolean =>
  codeOf(error) === "ENOSPC" ||
  isFullError(error) ||
  (error instanceof Error && "errcode" in error && error.errcode === SQLITE_IOERR_SHMSIZE);

/** What is never a defect of Muster's, wherever it is thrown: the state of this machine. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** The code of the system, if the state of this machine's disks has made a call fail; else null. */
export function diskFault(error: unknown): string | null {
  if (isDiskFull(error)) return "ENOSPC";
  const code = codeOf(error);
  return code !== null && OF_THE_MACHINE.has(code) ? code : null;
}

const codeOf = (error: unknown): string | null =>
  error instanceof Error && "code" in error ? String(error.code) : null;
