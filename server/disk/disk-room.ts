import { statfsSync } from "node:fs";

/** What a file system has left: for a user without privileges, in bytes and in files. */
export interface DiskRoom {
  readonly freeBytes: number;
  /** Null if the file system has no limit of files. */
  readonly freeFiles: number | null;
}

/** What a start writes, and room for the first tasks: on a disk that is full a database cannot even be opened. */
const ROOM_MB = 16;
/** Each new peer makes files: its database and what SQLite keeps beside it. */
const ROOM_FILES = 100;
const MB = 1_000_000;

export function diskRoom(folder: string): DiskRoom {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  return { freeBytes: bavail * bsize, freeFiles: files === 0 ? null : ffree };
}

export const freeMegabytes = ({ freeBytes }: DiskRoom): number => Math.floor(freeBytes / MB);

/** What a disk lacks for a mesh; null if it has room. */
export function shortageOf(room: DiskRoom): string | null {
  const free = freeMegabytes(room);
  if (free < ROOM_MB) return `${free} MB are free, a mesh needs ${ROOM_MB}`;
  const { freeFiles } = room;
  if (freeFiles !== null && freeFiles < ROOM_FILES)
    return `${freeFiles} more files can be made on it, a mesh needs ${ROOM_FILES}`;
  return null;
}
