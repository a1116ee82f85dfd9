import { MINUTE, type Millis } from "../base/clock.ts";
import { number, type Sql } from "./sql.ts";

/** How often a cell looks whether others answer. */
const LOOK_EVERY: Millis = MINUTE;

/** Cells that did not answer this one when it looked last, and since when; and, in memory, when it looks again. */
export class SilentCells {
  readonly #sql: Sql;
  #lookedAt: Millis | null = null;
  #isWanted = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** By their numbers. */
  all(): ReadonlyMap<number, Millis> {
    const rows = this.#sql.exec(`SELECT cell, since FROM silent_cells ORDER BY cell`);
    return new Map(rows.map((row) => [number(row, "cell"), number(row, "since")]));
  }

  /** A cell did not answer. */
  add(cell: number, since: Millis): void {
    this.#sql.exec(`INSERT OR IGNORE INTO silent_cells (cell, since) VALUES (?, ?)`, cell, since);
  }

  /** A cell has answered, or nobody looks any more whether it does. */
  remove(cell: number): void {
    this.#sql.exec(`DELETE FROM silent_cells WHERE cell = ?`, cell);
  }

  /** When to look next. After a wake, an alarm that was set before it may come earlier. */
  due(now: Millis): Millis {
    const at = this.#lookedAt;
    return at === null || at > now ? now + LOOK_EVERY : at + LOOK_EVERY;
  }

  /** Notes that it is time to look, if it is. */
  tick(now: Millis): void {
    const at = this.#lookedAt;
    if (at !== null && at <= now && now < at + LOOK_EVERY) return;
    this.#lookedAt = now;
    this.#isWanted = true;
  }

  /** Whether to look now; a look that begins is noted. */
  begins(): boolean {
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    return isWanted;
  }
}
