import { number, type Sql } from "../../registry/sql.ts";
import { orDamaged } from "../damaged-database.ts";
import { Failure } from "../failure.ts";
import { cellsIn } from "./cell-files.ts";
import { openSnapshot, type DatabaseSnapshot, type Snapshot } from "./database-file.ts";
import type { MeshParts } from "./mesh-parts.ts";

/** How often snapshots of several cells are taken again because a message was on its way between them. */
const PASSES_MAX = 500;

/** Opens a snapshot of a mesh. That of several cells is one in which no message between them is lost or taken twice. */
export function openMeshSnapshot({ database, databaseOf }: MeshParts): Snapshot {
  const first = openCell(database);
  try {
    const cells = cellsIn(first.sql, databaseOf);
    if (cells.length === 1) return first;
    first.close();
    return openCells(cells, databaseOf);
  } catch (error) {
    first.close();
    throw error;
  }
}

/** The snapshot of one database, whose errors name the database. */
function openCell(path: string): DatabaseSnapshot {
  const named = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw orDamaged(path, error);
    }
  };
  const snapshot = named(() => openSnapshot(path));
  return {
    ...snapshot,
    resultIds: () => named(() => snapshot.resultIds()),
    *tables() {
      const pages = snapshot.tables();
      for (
        let next = named(() => pages.next());
        next.done !== true;
        next = named(() => pages.next())
      )
        yield next.value;
    },
  };
}

/**
 * The databases have no common transaction, so their snapshots are of different moments. They fit if the state of every link between two
 * cells is the same in snapshots that were opened afterwards: at the moment between, all databases had this state. While messages come
 * too fast for that, they fit if each message was sent in the one and is taken in the other, or still waits.
 */
function openCells(cells: readonly number[], databaseOf: (cell: number) => string): Snapshot {
  const open = (): readonly DatabaseSnapshot[] => {
    const opened: DatabaseSnapshot[] = [];
    try {
      for (const cell of cells) opened.push(openCell(databaseOf(cell)));
      return opened;
    } catch (error) {
      closeAll(opened);
      throw error;
    }
  };
  let before = open();
  for (let pass = 1; pass <= PASSES_MAX; pass++) {
    const links = before.map(({ sql }) => linksOf(sql));
    if (fit(cells, links)) return combined(cells, before);
    const after = open();
    const isUnchanged =
      JSON.stringify(after.map(({ sql }) => linksOf(sql))) === JSON.stringify(links);
    if (isUnchanged) closeAll(after);
    else closeAll(before);
    if (isUnchanged) return combined(cells, before);
    before = after;
  }
  closeAll(before);
  throw new Failure(
    "messages between the cells are always on their way: there is no moment that a backup could show",
    "try again when the mesh has less to do",
  );
}

/** What a cell knows of its link with another one. */
interface Link {
  readonly cell: number;
  readonly sent: number;
  readonly received: number;
  /** The number of the first message that the other cell has not confirmed; null if it has confirmed all. */
  readonly waiting: number | null;
}

const linksOf = (sql: Sql): readonly Link[] =>
  sql
    .exec(
      `SELECT cell, sent, received, (SELECT MIN(seq) FROM cell_messages m WHERE m.cell = l.cell) AS waiting
       FROM cell_links l ORDER BY cell`,
    )
    .map((row) => ({
      cell: number(row, "cell"),
      sent: number(row, "sent"),
      received: number(row, "received"),
      waiting: row["waiting"] === null ? null : number(row, "waiting"),
    }));

/** Whether no cell has taken a message that its sender has not sent yet, and none lacks one that its sender does not keep any more. */
function fit(cells: readonly number[], links: readonly (readonly Link[])[]): boolean {
  const linkOf = (from: number, to: number): Link | undefined =>
    links[cells.indexOf(from)]?.find(({ cell }) => cell === to);
  return cells.every((from) =>
    cells.every((to) => {
      const received = linkOf(to, from)?.received ?? 0;
      const { sent, waiting } = linkOf(from, to) ?? { sent: 0, waiting: null };
      return received <= sent && received >= (waiting === null ? sent : waiting - 1);
    }),
  );
}

const combined = (cells: readonly number[], snapshots: readonly DatabaseSnapshot[]): Snapshot => ({
  schema: snapshots[0]?.schema ?? 0,
  cells,
  resultIds: () => [...new Set(snapshots.flatMap((each) => each.resultIds()))].toSorted(),
  *tables() {
    for (const [at, each] of snapshots.entries()) {
      const cell = cells[at] ?? 0;
      if (cell > 0) yield { cell, schema: each.schema };
      yield* each.tables();
    }
  },
  close: () => closeAll(snapshots),
});

function closeAll(snapshots: readonly DatabaseSnapshot[]): void {
  for (const each of snapshots) each.close();
}
