import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The size of a mesh's database on disk. */
export interface DatabaseSize {
  /** Used pages. */
  readonly used: number;
  /** The file with its free pages, which are used again. */
  readonly file: number;
}

/** The largest SQLite database below a folder, of a mesh that has stopped: that of its coordinator. */
export function largestDatabase(dir: string): DatabaseSize {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".sqlite"))
    .map((name) => join(dir, name));
  const [largest] = files.toSorted((a, b) => statSync(b).size - statSync(a).size);
  if (largest === undefined) throw new Error(`there is no database in ${dir}`);
  const database = new DatabaseSync(largest);
  const read = (pragma: string): number => {
    const [value] = Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {});
    return Number(value);
  };
  const page = read("page_size");
  const size = {
    used: (read("page_count") - read("freelist_count")) * page,
    file: read("page_count") * page,
  };
  database.close();
  return size;
}
