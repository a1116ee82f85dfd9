import { FIRST_PLACE, type ListPlace } from "../cells/list-place.ts";
import { LISTED_COLUMNS, readListed, type ListedTask } from "./task-rows.ts";
import type { TaskFilter } from "./task-filter.ts";
import { number, text, type Sql, type SqlValue } from "./sql.ts";

const CONDITIONS = `(?1 IS NULL OR seq < ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR kind = ?3)
  AND (?4 IS NULL OR owner = ?4) AND (?10 IS NULL OR owner = ?10) AND (?5 IS NULL OR source = ?5) AND (?6 IS NULL OR peer_id = ?6)
  AND (?7 IS NULL OR created_at > ?7) AND (?8 IS NULL OR created_at < ?8)`;

/**
 * The tasks as they are listed: by their sequence numbers, or in the order of places, which is the same in all cells. The latter reads the
 * index that a cell has once there are several (`cells.ts`).
 */
export function taskList(sql: Sql) {
  const read = (query: string, ...values: SqlValue[]): readonly ListedTask[] =>
    sql
      .exec(`SELECT ${LISTED_COLUMNS} FROM tasks WHERE ${CONDITIONS} ${query}`, ...values)
      .map((row) => ({ ...readListed(row), seq: number(row, "seq") }));
  return {
    /** Newest first. */
    list: (filter: TaskFilter): readonly ListedTask[] =>
      read(`ORDER BY seq DESC LIMIT ?9`, ...bindings(filter)),

    /** The same behind a place. */
    listBehind: (filter: TaskFilter, { at, id }: ListPlace): readonly ListedTask[] =>
      read(
        `AND created_at <= ?11 AND (created_at < ?11 OR id > ?12) ORDER BY created_at DESC, id LIMIT ?9`,
        ...bindings(filter),
        at,
        id,
      ),

    /** The place of the task with this sequence number. If there is no such task any more, that of the next newer one. */
    placeOf(seq: number): ListPlace {
      const [row] = sql.exec(
        `SELECT created_at, id FROM tasks WHERE seq >= ? ORDER BY seq LIMIT 1`,
        seq,
      );
      return row === undefined
        ? FIRST_PLACE
        : { at: number(row, "created_at"), id: text(row, "id") };
    },
  };
}

const bindings = (filter: TaskFilter): SqlValue[] => [
  filter.before ?? null,
  filter.state ?? null,
  filter.kind ?? null,
  filter.owner ?? null,
  filter.source ?? null,
  filter.peerId ?? null,
  filter.createdAfter ?? null,
  filter.createdBefore ?? null,
  filter.limit,
  filter.visibleTo ?? null,
];
