/** The entries of a KV namespace in SQLite: keys, values of up to 25 MiB, metadata and expiration times. */

/** What is used of SQLite: a Durable Object's storage, or Node's SQLite in tests. */
export interface KvSql {
  exec(
    query: string,
    ...bindings: (string | number | null | Uint8Array<ArrayBuffer>)[]
  ): readonly KvRow[];
  /** Runs `body` in a transaction: all of its statements take effect, or none. */
  transaction<T>(body: () => T): T;
}
type KvRow = Readonly<Record<string, unknown>>;

export interface KvEntry {
  readonly value: Uint8Array<ArrayBuffer>;
  /** JSON. */
  readonly metadata: string | null;
}

export interface PutOptions {
  /** In seconds since 1970; null if the entry does not expire. */
  readonly expiration: number | null;
  /** JSON. */
  readonly metadata: string | null;
}

export interface ListedKey {
  readonly name: string;
  readonly expiration?: number;
  /** JSON. */
  readonly metadata?: string;
}

export interface ListOptions {
  readonly prefix: string;
  readonly limit: number;
  /** The keys after this one. */
  readonly after: string | null;
}

/** A row of a Durable Object's SQLite has at most 2 MB. */
const CHUNK_BYTES = 1_048_576;
/** How many expired entries one transaction removes. */
const REMOVED_AT_ONCE = 200;
/** No key sorts after its prefix with this text: a key has at most 512 bytes, and no character sorts after U+10FFFF. */
const AFTER_EVERY_KEY = "\u{10ffff}".repeat(129);

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS entries (
     id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, expiration INTEGER, metadata TEXT, bytes INTEGER NOT NULL)`,
  "CREATE INDEX IF NOT EXISTS entries_by_expiration ON entries (expiration) WHERE expiration IS NOT NULL",
  `CREATE TABLE IF NOT EXISTS chunks (
     entry INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (entry, number))`,
];

export class KvEntries {
  readonly #sql: KvSql;

  constructor(sql: KvSql) {
    this.#sql = sql;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  /** `now` is in seconds, here and below. */
  get(key: string, now: number): KvEntry | null {
    const [row] = this.#sql.exec(
      "SELECT id, bytes, metadata FROM entries WHERE key = ? AND ifnull(expiration > ?, true)",
      key,
      now,
    );
    if (row === undefined) return null;
    const value = new Uint8Array(Number(row["bytes"]));
    const chunks = this.#sql.exec(
      "SELECT bytes FROM chunks WHERE entry = ? ORDER BY number",
      Number(row["id"]),
    );
    let at = 0;
    for (const { bytes } of chunks) {
      const chunk = new Uint8Array(bytes as ArrayBuffer | Uint8Array<ArrayBuffer>);
      value.set(chunk, at);
      at += chunk.length;
    }
    return { value, metadata: row["metadata"] as string | null };
  }

  put(key: string, value: Uint8Array<ArrayBuffer>, { expiration, metadata }: PutOptions): void {
    this.#sql.transaction(() => {
      this.#remove(key);
      const [row] = this.#sql.exec(
        "INSERT INTO entries (key, expiration, metadata, bytes) VALUES (?, ?, ?, ?) RETURNING id",
        key,
        expiration,
        metadata,
        value.length,
      );
      for (let at = 0, number = 0; at < value.length; at += CHUNK_BYTES, number++)
        this.#sql.exec(
          "INSERT INTO chunks (entry, number, bytes) VALUES (?, ?, ?)",
          Number(row?.["id"]),
          number,
          value.slice(at, at + CHUNK_BYTES),
        );
    });
  }

  delete(key: string): void {
    this.#sql.transaction(() => this.#remove(key));
  }

  /** The keys in the order of their UTF-8, and whether there are more. */
  list({ prefix, limit, after }: ListOptions, now: number): { keys: ListedKey[]; more: boolean } {
    const rows = this.#sql.exec(
      `SELECT key, expiration, metadata FROM entries
       WHERE key >= ? AND key < ? AND key > ? AND ifnull(expiration > ?, true) ORDER BY key LIMIT ?`,
      prefix,
      `${prefix}${AFTER_EVERY_KEY}`,
      after ?? "",
      now,
      limit + 1,
    );
    return { keys: rows.slice(0, limit).map(listedKey), more: rows.length > limit };
  }

  /** Removes expired entries. Returns when the next entry expires; null if none does. */
  removeExpired(now: number): number | null {
    this.#sql.transaction(() => {
      const expired = this.#sql.exec(
        "SELECT key FROM entries WHERE expiration <= ? ORDER BY expiration LIMIT ?",
        now,
        REMOVED_AT_ONCE,
      );
      for (const { key } of expired) this.#remove(String(key));
    });
    const [row] = this.#sql.exec("SELECT min(expiration) AS next FROM entries");
    const next = row?.["next"] ?? null;
    return next === null ? null : Number(next);
  }

  #remove(key: string): void {
    const [row] = this.#sql.exec("DELETE FROM entries WHERE key = ? RETURNING id", key);
    if (row !== undefined) this.#sql.exec("DELETE FROM chunks WHERE entry = ?", Number(row["id"]));
  }
}

const listedKey = ({ key, expiration, metadata }: KvRow): ListedKey => ({
  name: key as string,
  ...(expiration !== null && { expiration: Number(expiration) }),
  ...(metadata !== null && { metadata: metadata as string }),
});
