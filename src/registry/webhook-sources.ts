import type { Millis } from "../base/clock.ts";
import type { EventMapping, WebhookScheme } from "../protocol/http.ts";
import { json, number, text, type Sql, type SqlRow } from "./sql.ts";

export interface WebhookSource {
  readonly name: string;
  readonly scheme: WebhookScheme;
  /** The secret, sealed (webhooks/sealed-secret), in base64. */
  readonly sealedSecret: string;
  readonly mapping: EventMapping;
  readonly createdAt: Millis;
  /** Deliveries that became a task. */
  readonly deliveries: number;
}

export function webhookSourcesTable(sql: Sql) {
  return {
    get(name: string): WebhookSource | null {
      const row = sql.exec(`SELECT * FROM webhook_sources WHERE name = ?`, name)[0];
      return row === undefined ? null : readSource(row);
    },
    put(source: WebhookSource): void {
      sql.exec(
        `INSERT INTO webhook_sources (name, scheme, sealed_secret, mapping, created_at, deliveries)
         VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET scheme = excluded.scheme, sealed_secret = excluded.sealed_secret,
           mapping = excluded.mapping`,
        source.name,
        source.scheme,
        source.sealedSecret,
        JSON.stringify(source.mapping),
        source.createdAt,
        source.deliveries,
      );
    },
    countDelivery(name: string): void {
      sql.exec(`UPDATE webhook_sources SET deliveries = deliveries + 1 WHERE name = ?`, name);
    },
    remove(name: string): boolean {
      return sql.exec(`DELETE FROM webhook_sources WHERE name = ? RETURNING name`, name).length > 0;
    },
    count(): number {
      return number(
        sql.exec(`SELECT COUNT(*) AS count FROM webhook_sources`)[0] as SqlRow,
        "count",
      );
    },
  };
}

const readSource = (row: SqlRow): WebhookSource => ({
  name: text(row, "name"),
  scheme: text(row, "scheme") as WebhookScheme,
  sealedSecret: text(row, "sealed_secret"),
  mapping: json(row, "mapping"),
  createdAt: number(row, "created_at"),
  deliveries: number(row, "deliveries"),
});
