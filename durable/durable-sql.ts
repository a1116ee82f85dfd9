import type { Sql } from "../src/registry/sql.ts";

/** The registry's SQL port on a Durable Object's own SQLite. */
export const durableSql = (storage: DurableObjectStorage): Sql => ({
  exec: (query, ...bindings) =>
    storage.sql.exec<Record<string, string | number | null>>(query, ...bindings).toArray(),
  transaction: (body) => storage.transactionSync(body),
  size: () => storage.sql.databaseSize,
});
