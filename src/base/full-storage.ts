/**
 * Whether SQLite had no room: on a full disk, or above what the platform allows. Its error keeps this text on its way to the caller of an object.
 * `SQLITE_IOERR_SHMSIZE`: no room for the index of the log (`-shm`), without which a database can't be opened.
 */
export const isFullText = (text: string): boolean =>
  /SQLITE_FULL|database or disk is full|SQLITE_IOERR_SHMSIZE/.test(text);

export const isFullError = (thrown: unknown): boolean =>
  thrown instanceof Error && isFullText(thrown.message);
