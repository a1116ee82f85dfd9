import { DatabaseSync } from "node:sqlite";
import type { MeshParts } from "../../../src/cli/backup/mesh-parts.ts";
import type { Snapshot } from "../../../src/cli/backup/database-file.ts";
import { openRegistry, type Registry } from "../../../src/registry/registry.ts";
import { setSetting } from "../../../src/registry/setting-row.ts";
import type { Sql } from "../../../src/registry/sql.ts";
import { nodeSql } from "../../node-sql.ts";

/** What the cells hand each other: each is in one cell, or in a message. */
export const TOKENS: readonly string[] = ["token:a", "token:b", "token:c", "token:d"];

interface Cell {
  readonly sql: Sql;
  readonly registry: Registry;
  readonly database: DatabaseSync;
}

/** Cells that hand each other tokens as they choose. Messages are sent, taken and confirmed in steps of their own. */
export function linkedCells(parts: MeshParts, count: number, choice: () => number) {
  const cells = Array.from({ length: count }, (_, cell): Cell => {
    const database = new DatabaseSync(parts.databaseOf(cell));
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    const sql = nodeSql(database);
    return { sql, registry: openRegistry(sql), database };
  });
  const one = () => choice() % count;
  const cellAt = (at: number): Cell => cells[at] as Cell;
  for (const token of TOKENS) setSetting(cellAt(one()).sql, token, "1");

  function send(from: number, to: number): void {
    const { sql, registry } = cellAt(from);
    const held = tokensOf(sql);
    const token = held[choice() % Math.max(1, held.length)];
    if (token === undefined || from === to) return;
    registry.transaction(() => {
      sql.exec(`DELETE FROM settings WHERE key = ?`, token);
      registry.cellMessages.add(to, token, 0);
    });
  }

  function take(from: number, to: number): void {
    const [sender, taker] = [cellAt(from), cellAt(to)];
    taker.registry.transaction(() => {
      for (const { seq, body } of sender.registry.cellMessages.next(to)) {
        if (seq <= taker.registry.cellMessages.received(from)) continue;
        setSetting(taker.sql, body, "1");
        taker.registry.cellMessages.setReceived(from, seq);
      }
    });
  }

  const confirm = (from: number, to: number): void =>
    cellAt(from).registry.cellMessages.taken(to, cellAt(to).registry.cellMessages.received(from));

  return {
    /** Does several things in some cells, or nothing. */
    step(): void {
      for (let left = choice() % 3 === 0 ? 12 : 0; left > 0; left--)
        [send, take, confirm][choice() % 3]?.(one(), one());
    },
    /** The tokens of a restored mesh, once its messages have arrived. */
    tokensIn(snapshot: Snapshot): readonly string[] {
      const rows = rowsIn(snapshot);
      const held = rows.settings.map(({ key }) => String(key)).filter(isToken);
      const arriving = rows.cell_messages
        .filter(({ at, cell: to, seq }) => {
          const link = rows.cell_links.find((each) => each.at === to && each["cell"] === at);
          return Number(seq) > Number(link?.["received"] ?? 0);
        })
        .map(({ body }) => String(body));
      return [...held, ...arriving].toSorted();
    },
    close(): void {
      for (const { database } of cells) database.close();
    },
  };
}

const isToken = (key: string): boolean => key.startsWith("token:");

const tokensOf = (sql: Sql): readonly string[] =>
  sql
    .exec(`SELECT key FROM settings ORDER BY key`)
    .map(({ key }) => String(key))
    .filter(isToken);

type Row = Readonly<Record<string, unknown>> & { readonly at: number };

/** The rows of the tables that matter here, each with the number of its cell. */
function rowsIn(snapshot: Snapshot) {
  const found = { settings: [] as Row[], cell_links: [] as Row[], cell_messages: [] as Row[] };
  let at = 0;
  for (const page of snapshot.tables()) {
    if ("cell" in page) at = page.cell;
    else if (Object.hasOwn(found, page.table))
      for (const row of page.rows)
        found[page.table as keyof typeof found].push({
          ...Object.fromEntries(page.columns.map((column, i) => [column, row[i]])),
          at,
        });
  }
  return found;
}
