/**
 * The SQL methods that the registry uses. Durable Objects' SQLite and node:sqlite both satisfy them through a small
 * adapter. Both are synchronous, so a transaction is a plain function.
 */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface Sql {
  /** Runs one statement and returns its rows; none for statements without `RETURNING`. */
  exec(query: string, ...bindings: readonly SqlValue[]): readonly SqlRow[];
  /**
   * Runs the body; commits when it returns, rolls back when it throws. A transaction inside another one is a savepoint:
   * when it fails, only its own writes are undone.
   */
  transaction<T>(body: () => T): T;
  /** Bytes that the database uses. Free pages do not count: SQLite uses them again before the file grows. */
  size(): number;
}

/**
 * Inserts one row, given by its columns. `tail` may say what happens to an existing row (`ON CONFLICT …`), or what to return
 * (`RETURNING …`).
 */
export function insertRow(
  sql: Sql,
  table: string,
  columns: Readonly<Record<string, SqlValue>>,
  tail = "",
): readonly SqlRow[] {
  const names = Object.keys(columns);
  const marks = names.map(() => "?").join(", ");
  const query = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks}) ${tail}`;
  return sql.exec(query, ...Object.values(columns));
}

/** Column readers. A value of another type is a defect of Muster, never of a caller. */
export const text = (row: SqlRow, column: string): string => expected(row, column, "string");
export const number = (row: SqlRow, column: string): number => expected(row, column, "number");
export const flag = (row: SqlRow, column: string): boolean => number(row, column) !== 0;
export const textOrNull = (row: SqlRow, column: string): string | null =>
  row[column] === null ? null : text(row, column);
export const numberOrNull = (row: SqlRow, column: string): number | null =>
  row[column] === null ? null : number(row, column);
/** JSON that Muster wrote itself, after validating it. */
export const json = <T>(row: SqlRow, column: string): T => JSON.parse(text(row, column)) as T;

/** The time that a query returns in its column `at`; null when there is none. */
export const minimum = (sql: Sql, query: string, ...bindings: readonly SqlValue[]): number | null =>
  numberOrNull(sql.exec(query, ...bindings)[0] as SqlRow, "at");

interface Types {
  string: string;
  number: number;
}
function expected<T extends keyof Types>(row: SqlRow, column: string, type: T): Types[T] {
  const value = row[column];
  if (typeof value !== type)
    throw new TypeError(
      `column ${column} holds ${value === null ? "null" : typeof value}, not ${type}`,
    );
  return value as Types[T];
}
