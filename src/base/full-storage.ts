/** Whether SQLite had no room: on a full disk, or above what the platform allows. Its error keeps this text on its way to the caller of an object. */
export const isFullText = (text: string): boolean =>
  /SQLITE_FULL|database or disk is full/.test(text);

export const isFullError = (thrown: unknown): boolean =>
  thrown instanceof Error && isFullText(thrown.message);
