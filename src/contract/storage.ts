import type { StorageView } from "../protocol/http.ts";
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
}

export const STORAGE_CALLERS: CallersOf<StorageCommands> = {
  get_storage: "gateway",
  begin_export: "gateway",
  read_export: "gateway",
  end_export: "gateway",
};
