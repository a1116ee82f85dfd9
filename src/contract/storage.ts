import type { ImportView, StorageView } from "../protocol/http.ts";
import type { BackupPage, BackupRow, BackupTable } from "../registry/backup-tables.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** The coordinator's database: how large it is, how large it may be, and its export. */
export interface StorageCommands {
  get_storage: { caller: "gateway"; input: Empty; output: StorageView };
  /** Copies the tables of the truth, which are then read page by page. */
  begin_export: {
    caller: "gateway";
    input: Empty;
    output: {
      readonly exportId: string;
      readonly schema: number;
      readonly tables: readonly BackupTable[];
    };
  };
  read_export: {
    caller: "gateway";
    input: {
      readonly exportId: string;
      readonly table: string;
      readonly after: BackupRow | null;
    };
    output: BackupPage;
  };
  /** Removes the copy. An export that has ended already is left as it is. */
  end_export: { caller: "gateway"; input: { readonly exportId: string }; output: Empty };
  /** Begins to import a backup into an empty mesh, or continues the import of the same backup. */
  begin_import: { caller: "gateway"; input: ImportStart; output: ImportView };
  get_import: { caller: "gateway"; input: { readonly id: string }; output: ImportView };
  /** Takes the next part, or a part again that has arrived. */
  put_import_part: {
    caller: "gateway";
    input: {
      readonly id: string;
      readonly part: number;
      /** SHA-256 of the part. */
      readonly digest: string;
      readonly content: ImportContent;
    };
    output: ImportView;
  };
  /** A page of the rows that have arrived. */
  read_import: {
    caller: "gateway";
    input: { readonly id: string; readonly table: string; readonly after: BackupRow | null };
    output: ImportPage;
  };
  /** The tables that the import has, the number of results, and what the backup says of itself. */
  get_import_tables: {
    caller: "gateway";
    input: { readonly id: string };
    output: {
      readonly tables: readonly BackupTable[];
      readonly results: number;
      readonly header: string;
    };
  };
  /** Removes an import with what has arrived. */
  end_import: { caller: "gateway"; input: { readonly id: string }; output: Empty };
}

/** What the file of an import says of itself. */
interface ImportStart {
  readonly schema: number;
  /** The version of Muster that made it. */
  readonly muster: string;
  /** The same for the same file only, as far as its rows are concerned. */
  readonly header: string;
}

/** Rows of one table, or a result, whose bytes are in the store. */
export type ImportContent =
  | {
      readonly table: string;
      readonly columns: readonly string[];
      /** A JSON array of the rows. As a text they pass between objects at a fraction of the cost of as many arrays. */
      readonly rows: string;
    }
  | { readonly result: string };

/** A page of the rows that have arrived. */
interface ImportPage {
  /** The rows as the lines of a backup, which are hashed. */
  readonly lines: string;
  readonly rows: number;
  /** The key after which the next page begins; null when there is none. */
  readonly next: BackupRow | null;
}

export const STORAGE_CALLERS: CallersOf<StorageCommands> = {
  get_storage: "gateway",
  begin_export: "gateway",
  read_export: "gateway",
  end_export: "gateway",
  begin_import: "gateway",
  get_import: "gateway",
  put_import_part: "gateway",
  read_import: "gateway",
  get_import_tables: "gateway",
  end_import: "gateway",
};
