import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { concat } from "../../base/bytes.ts";
import { DAY, SECOND } from "../../base/clock.ts";
import type { BackupResult } from "../../backup/write-backup.ts";
import { orDamaged, requireDatabase } from "../damaged-database.ts";
import type { ResultFiles } from "./result-files.ts";

/** As `server/workers/kv-entries.ts` keeps them: the store of a mesh on this machine is a database, too. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (
     id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, expiration INTEGER, metadata TEXT, bytes INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS entries_by_expiration ON entries (expiration) WHERE expiration IS NOT NULL;
  CREATE TABLE IF NOT EXISTS chunks (
     entry INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (entry, number));`;
const CHUNK_BYTES = 1_048_576;
/** That of a new result: a day longer than its task. */
const LIFETIME = 31 * DAY;

const resultKey = (id: string): string => `result:${id}`;

/** The results in the SQLite database of a mesh's store. A running mesh goes on writing to it. */
export class KvDatabase implements ResultFiles {
  readonly #path: string;
  #reader: DatabaseSync | null = null;
  #writer: DatabaseSync | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** The content is read at once: 25 MiB at most, and the mesh may delete it at any time. */
  async read(id: string): Promise<BackupResult | null> {
    await requireDatabase(this.#path, false);
    try {
      return this.#read(id);
    } catch (thrown) {
      throw orDamaged(this.#path, thrown);
    }
  }

  #read(id: string): BackupResult | null {
    const reader = this.#openReader();
    if (reader === null) return null;
    reader.exec("BEGIN");
    try {
      const entry = reader
        .prepare("SELECT id, bytes FROM entries WHERE key = ?")
        .get(resultKey(id));
      if (entry === undefined) return null;
      const content = reader
        .prepare("SELECT bytes FROM chunks WHERE entry = ? ORDER BY number")
        .all(entry["id"] as number)
        .map((row) => row["bytes"] as Uint8Array);
      return { id, bytes: Number(entry["bytes"]), content };
    } finally {
      reader.exec("COMMIT");
    }
  }

  async write(id: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    const expiration = Math.floor((Date.now() + LIFETIME) / SECOND);
    this.add(resultKey(id), concat(...parts), expiration, null);
  }

  /** Adds an entry unless its key is there. `expiration` is in seconds. */
  add(key: string, value: Uint8Array, expiration: number | null, metadata: string | null): void {
    const writer = this.#openWriter();
    const { changes, lastInsertRowid: entry } = writer
      .prepare(
        "INSERT OR IGNORE INTO entries (key, expiration, metadata, bytes) VALUES (?, ?, ?, ?)",
      )
      .run(key, expiration, metadata, value.length);
    if (Number(changes) === 0) return;
    const insert = writer.prepare("INSERT INTO chunks (entry, number, bytes) VALUES (?, ?, ?)");
    for (let at = 0, number = 0; at < value.length; at += CHUNK_BYTES, number++)
      insert.run(entry, number, value.subarray(at, at + CHUNK_BYTES));
  }

  keepOnly(ids: ReadonlySet<string>): Promise<void> {
    const writer = this.#writer;
    if (writer === null) return Promise.resolve();
    const keys = new Set([...ids].map(resultKey));
    const others = writer
      .prepare("SELECT id, key FROM entries")
      .all()
      .filter(({ key }) => !keys.has(String(key)));
    for (const { id } of others) {
      writer.prepare("DELETE FROM chunks WHERE entry = ?").run(Number(id));
      writer.prepare("DELETE FROM entries WHERE id = ?").run(Number(id));
    }
    return Promise.resolve();
  }

  close(): void {
    this.#reader?.close();
    if (this.#writer !== null) {
      this.#writer.exec("COMMIT; PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
      this.#writer.close();
    }
    [this.#reader, this.#writer] = [null, null];
  }

  /** Null for a mesh that has never stored anything. */
  #openReader(): DatabaseSync | null {
    if (this.#reader === null && existsSync(this.#path)) {
      this.#reader = new DatabaseSync(this.#path, { readOnly: true, timeout: 10_000 });
    }
    return this.#reader;
  }

  /** One transaction, for a mesh that does not run: the file has its place only when everything is written. */
  #openWriter(): DatabaseSync {
    if (this.#writer === null) {
      this.#writer = new DatabaseSync(this.#path);
      this.#writer.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
      this.#writer.exec(SCHEMA);
      this.#writer.exec("BEGIN");
    }
    return this.#writer;
  }
}
