import type { BackupResult } from "../../backup/write-backup.ts";

/** The results of a mesh on disk. Their content is never changed after it was written. */
export interface ResultFiles {
  /** Null when the store does not have it. */
  read(id: string): Promise<BackupResult | null>;
  /** Writes one. It expires as late as one that was just made. */
  write(id: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes the results that were written besides these. */
  keepOnly(ids: ReadonlySet<string>): Promise<void>;
  close(): void;
}
