import type { BackupResult } from "../../backup/write-backup.ts";
import type { Snapshot } from "./database-file.ts";
import type { ResultFiles } from "./result-files.ts";

/** How often a snapshot is taken again because results that it names were deleted before they were read. */
const PASSES_MAX = 20;

/**
 * Reads a mesh while it runs: results and rows change at any time, and the mesh deletes a result only after the row that names it.
 * A snapshot of the rows comes first, then the results that it names. A result that is gone by then belongs to a task that was
 * deleted meanwhile: another snapshot is taken, and only what it names besides is read. A result that is missing twice is lost in
 * the mesh itself. Most results are read before the first snapshot is held: the log of the database grows for as long as it is.
 */
export class ConsistentRead {
  readonly #open: () => Snapshot;
  readonly #files: ResultFiles;
  readonly #read = new Set<string>();
  readonly #gone = new Set<string>();
  #snapshot: Snapshot | null = null;

  constructor(open: () => Snapshot, files: ResultFiles) {
    this.#open = open;
    this.#files = files;
  }

  /** The results. Afterwards `snapshot` names no other than these, except lost ones. */
  async *results(): AsyncGenerator<BackupResult, void, undefined> {
    const first = this.#open();
    const ids = first.resultIds();
    first.close();
    yield* this.#unread(ids);
    for (let pass = 1; ; pass++) {
      const goneBefore = new Set(this.#gone);
      const snapshot = this.#open();
      this.#snapshot = snapshot;
      const named = snapshot.resultIds();
      yield* this.#unread(named);
      const isNewlyGone = named.some((id) => this.#gone.has(id) && !goneBefore.has(id));
      if (!isNewlyGone || pass === PASSES_MAX) return;
      this.close();
    }
  }

  /** The rows that fit the results; after `results` has ended. */
  get snapshot(): Snapshot {
    if (this.#snapshot === null) throw new Error("the results are read first");
    return this.#snapshot;
  }

  /** How many results the snapshot names that were not found. */
  missing(): number {
    return this.snapshot.resultIds().filter((id) => !this.#read.has(id)).length;
  }

  close(): void {
    this.#snapshot?.close();
    this.#snapshot = null;
  }

  async *#unread(ids: readonly string[]): AsyncGenerator<BackupResult, void, undefined> {
    for (const id of ids) {
      if (this.#read.has(id)) continue;
      const result = await this.#files.read(id);
      if (result === null) this.#gone.add(id);
      else {
        this.#read.add(id);
        yield result;
      }
    }
  }
}
