import type { Sql } from "../../src/registry/sql.ts";

/** Opens the test's own database, which is empty at first. Each call opens the same database. */
type OpenSql = () => Sql;

/** One case of the registry's contract. It must pass on every SQL engine. */
export interface RegistryCase {
  readonly name: string;
  readonly run: (open: OpenSql) => void;
}
