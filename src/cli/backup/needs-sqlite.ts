import { Failure } from "../failure.ts";

/** Loads a module that reads SQLite files with Node's own SQLite, which older versions of Node lack or hide behind a flag. */
export async function withSqlite<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_UNKNOWN_BUILTIN_MODULE"))
      throw error;
    throw new Failure(
      `this command reads SQLite files, for which Node ${process.versions.node} is too old`,
      "use Node 22.13 or newer, or Node 24",
    );
  }
}
