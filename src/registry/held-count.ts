import { number, text, type Sql } from "./sql.ts";

/**
 * The connected peers whose row does not say how many tasks they hold, with the right number: it is written a little later than the
 * leases that it follows from, so a crash loses it.
 */
export const wrongHeldCounts = (sql: Sql): readonly (readonly [id: string, held: number])[] =>
  sql
    .exec(
      `SELECT id, (SELECT COUNT(*) FROM tasks WHERE lease_until IS NOT NULL AND peer_id = peers.id) AS holds
       FROM peers WHERE state IN ('active', 'suspect') AND holds <> held`,
    )
    .map((row) => [text(row, "id"), number(row, "holds")]);
