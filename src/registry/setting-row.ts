import type { Sql } from "./sql.ts";

/** Sets a row of the table `settings`. */
export const setSetting = (sql: Sql, key: string, value: string): void =>
  void sql.exec(
    `INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    key,
    value,
  );
