import { shareOfLimit } from "../cells/limit-shares.ts";
import { placeOfLimit } from "../cells/placement.ts";
import { activeCells, isSingle, SINGLE, type Topology } from "../cells/topology.ts";
import { setSetting } from "./setting-row.ts";
import { text, type Sql } from "./sql.ts";

/** Shares in memory. */
const SHARES_MAX = 2_000;

/** What a cell knows of itself. */
interface Known {
  readonly own: number;
  readonly topology: Topology;
}

/** By these the lists of several cells are read, which have another order than those of a single one: it writes no entries of theirs. */
const LIST_INDEXES = [
  `CREATE INDEX IF NOT EXISTS tasks_created ON tasks (created_at DESC, id)`,
  `CREATE INDEX IF NOT EXISTS audit_times ON audit (at, seq)`,
];

/** The number of this cell and the cells of the mesh, which are two rows of `settings`. The only cell of a mesh has neither. */
export class Cells {
  readonly #sql: Sql;
  #known: Known | null = null;
  #isUndoable = false;
  /** Shares of limits, which every assignment asks for. */
  readonly #shares = new Map<string, number>();

  constructor(sql: Sql) {
    this.#sql = sql;
    // The database of a restored cell has the rows of the backup, and not its indexes.
    if (!this.isSingle) this.#indexLists();
  }

  /** The number of this cell. */
  get own(): number {
    return this.#read().own;
  }

  get topology(): Topology {
    return this.#read().topology;
  }

  /** Whether this is the only cell, and always was. */
  get isSingle(): boolean {
    return isSingle(this.topology);
  }

  /** This cell's share of a limit of the whole mesh. */
  shareOf(what: string, limit: number): number {
    if (this.isSingle) return limit;
    const key = `${limit} ${what}`;
    const known = this.#shares.get(key);
    if (known !== undefined) return known;
    if (this.#shares.size >= SHARES_MAX) this.#shares.clear();
    const share = shareOfLimit(this.topology, this.own, { key: placeOfLimit(what), limit });
    this.#shares.set(key, share);
    return share;
  }

  /** This cell's share of a rate of the whole mesh, which need not be a whole number. */
  shareOfRate(rate: number): number {
    if (this.isSingle) return rate;
    const active = activeCells(this.topology);
    return active.includes(this.own) ? rate / active.length : 0;
  }

  set(own: number, topology: Topology): void {
    if (own > 0) setSetting(this.#sql, "cell", String(own));
    setSetting(this.#sql, "topology", JSON.stringify(topology));
    this.#indexLists();
    this.#known = { own, topology };
    this.#shares.clear();
    this.#isUndoable = true;
  }

  begin(): void {}
  commit(): void {}
  rollback(): void {
    if (!this.#isUndoable) return;
    this.#known = null;
    this.#shares.clear();
  }

  #indexLists(): void {
    for (const index of LIST_INDEXES) this.#sql.exec(index);
  }

  #read(): Known {
    if (this.#known !== null) return this.#known;
    const setting = (key: string): string | null => {
      const row = this.#sql.exec(`SELECT value FROM settings WHERE key = ?`, key)[0];
      return row === undefined ? null : text(row, "value");
    };
    const topology = setting("topology");
    this.#known = {
      own: Number(setting("cell") ?? 0),
      topology: topology === null ? SINGLE : (JSON.parse(topology) as Topology),
    };
    return this.#known;
  }
}
