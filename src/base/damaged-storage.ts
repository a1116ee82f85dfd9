/** Whether SQLite could not read a database: its file is damaged, or none of SQLite's. Its error keeps this text on its way to the caller of an object. */
export const isDamagedText = (text: string): boolean =>
  /SQLITE_(?:CORRUPT|NOTADB)|database disk image is malformed|file is not a database/.test(text);

export const isDamagedError = (thrown: unknown): boolean =>
  thrown instanceof Error && isDamagedText(thrown.message);
