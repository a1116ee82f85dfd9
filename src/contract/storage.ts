import type { StorageView } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** The coordinator's database: how large it is, and how large it may be. */
export interface StorageCommands {
  get_storage: { caller: "gateway"; input: Empty; output: StorageView };
}

export const STORAGE_CALLERS: CallersOf<StorageCommands> = { get_storage: "gateway" };
