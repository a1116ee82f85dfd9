import type { PeerId } from "../protocol/ids.ts";
import { text, type Sql, type SqlRow } from "./sql.ts";

/** What a cell has about a peer, as rows of its tables: what moves if the peer's home changes. */
export type PeerRows = Readonly<Record<string, readonly SqlRow[]>>;

/**
 * The tables whose rows belong to a peer's home, with the column that names the peer. An alias belongs to the home of the old ID, by which
 * it is looked up; the home of the new ID has a copy, because a peer may not rotate its key too often.
 */
const TABLES = {
  peers: "id",
  observed: "peer_id",
  service_times: "peer_id",
  circuits: "peer_id",
  coordinates: "peer_id",
  pair_rtts: "from_id",
  allowlist: "peer_id",
  denylist: "peer_id",
  tombstones: "peer_id",
  reported_peers: "peer_id",
  aliases: "old_id",
} as const;

/** The table that says which discovery keys a peer got. It names the peer as a holder, and its cell judges that. */
const KEY_HOLDERS = "key_holders";

/** The tables in which a key has a row if a cell has anything about it that matters. */
const MARKS = ["peers", "allowlist", "denylist", "tombstones", "aliases"] as const;

interface Cache {
  readonly flush: () => void;
  readonly forget: (key: string) => void;
}
type ByKind = (peerId: PeerId, kinds: readonly string[]) => void;

/** The tables of which rows are kept in memory. */
interface CachedTables {
  readonly peers: { readonly kept: Cache; readonly changedCell: (peerId: PeerId) => void };
  readonly observed: { readonly kept: Cache };
  readonly serviceTimes: { readonly kept: Cache; readonly changedCell: ByKind };
  readonly circuits: { readonly kept: Cache; readonly changedCell: ByKind };
}

/** Reads, removes and writes all rows of a peer. */
export class PeerBundles {
  readonly #sql: Sql;
  readonly #tables: CachedTables;
  readonly #onLimits: () => void;
  /** The columns of each table. A cell of another version may have others. */
  readonly #columns = new Map<string, ReadonlySet<string>>();

  /** @param onLimits is told that the limits of an owner may have changed */
  constructor(sql: Sql, tables: CachedTables, onLimits: () => void) {
    this.#sql = sql;
    this.#tables = tables;
    this.#onLimits = onLimits;
  }

  /** Keys after one, in their order, of which this cell has something. */
  keysAfter(after: PeerId | null, limit: number): readonly PeerId[] {
    const each = MARKS.map(
      (table) =>
        `SELECT * FROM (SELECT DISTINCT ${TABLES[table]} AS id FROM ${table} WHERE ${TABLES[table]} > ?1 ORDER BY 1 LIMIT ?2)`,
    );
    return this.#sql
      .exec(`${each.join(" UNION ")} ORDER BY id LIMIT ?2`, after ?? "", limit)
      .map((row) => text(row, "id"));
  }

  /** Whether this cell has anything about a key that matters. */
  has(peerId: PeerId): boolean {
    this.#flush();
    const each = MARKS.map((table) => `SELECT 1 FROM ${table} WHERE ${TABLES[table]} = ?1`);
    return this.#sql.exec(`${each.join(" UNION ALL ")} LIMIT 1`, peerId).length > 0;
  }

  /** The rows of a peer; null if there are none. */
  read(peerId: PeerId): PeerRows | null {
    this.#flush();
    const rows: Record<string, readonly SqlRow[]> = {};
    for (const [table, column] of Object.entries(TABLES)) {
      const found = this.#sql.exec(`SELECT * FROM ${table} WHERE ${column} = ?`, peerId);
      if (found.length > 0) rows[table] = found;
    }
    if (Object.keys(rows).length === 0) return null;
    // A stranger may be one of those that are not known one by one.
    const held = this.#sql.exec(
      `SELECT 'peer:' || ?1 AS holder, epoch FROM key_holders WHERE holder IN ('peer:' || ?1, '*') ORDER BY epoch DESC LIMIT 1`,
      peerId,
    );
    if (held.length > 0) rows[KEY_HOLDERS] = held;
    const rotations = this.#sql.exec(`SELECT * FROM aliases WHERE new_id = ?`, peerId);
    return { ...rows, aliases: [...(rows["aliases"] ?? []), ...rotations] };
  }

  /** Removes the rows of a peer. Aliases of older IDs that lead to it stay, where they are looked up. */
  remove(peerId: PeerId, rows: PeerRows): void {
    for (const [table, column] of Object.entries(TABLES))
      this.#sql.exec(`DELETE FROM ${table} WHERE ${column} = ?`, peerId);
    this.#sql.exec(`DELETE FROM key_holders WHERE holder = 'peer:' || ?`, peerId);
    this.#changed(peerId, kindsOf(rows));
  }

  /** Adds rows of a peer. A row that exists stays as it is: this cell has written it since. */
  add(peerId: PeerId, rows: PeerRows): void {
    this.#flush();
    for (const table of [...Object.keys(TABLES), KEY_HOLDERS])
      for (const row of rows[table] ?? []) this.#insert(table, row);
    this.#changed(peerId, kindsOf(rows));
  }

  /** Writes what is in memory only. */
  #flush(): void {
    const { peers, observed, serviceTimes, circuits } = this.#tables;
    for (const { kept } of [peers, observed, serviceTimes, circuits]) kept.flush();
  }

  #changed(peerId: PeerId, kinds: readonly string[]): void {
    const { peers, observed, serviceTimes, circuits } = this.#tables;
    peers.changedCell(peerId);
    observed.kept.forget(peerId);
    serviceTimes.changedCell(peerId, kinds);
    circuits.changedCell(peerId, kinds);
    this.#onLimits();
  }

  #insert(table: string, row: SqlRow): void {
    const known = this.#columnsOf(table);
    const columns = Object.entries(row).filter(([name]) => known.has(name));
    const marks = columns.map(() => "?").join(", ");
    this.#sql.exec(
      `INSERT OR IGNORE INTO ${table} (${columns.map(([name]) => name).join(", ")}) VALUES (${marks})`,
      ...columns.map(([, value]) => value),
    );
  }

  #columnsOf(table: string): ReadonlySet<string> {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const rows = this.#sql.exec(`SELECT name FROM pragma_table_info('${table}')`);
    const columns = new Set(rows.map((row) => text(row, "name")));
    this.#columns.set(table, columns);
    return columns;
  }
}

const kindsOf = (rows: PeerRows): readonly string[] =>
  [...(rows["service_times"] ?? []), ...(rows["circuits"] ?? [])].map((row) => text(row, "kind"));
