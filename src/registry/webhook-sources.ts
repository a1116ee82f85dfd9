import type { Millis } from "../base/clock.ts";
import type {
  DeliveryIdentity,
  EventMapping,
  SignatureHeader,
  WebhookFilter,
  WebhookScheme,
} from "../protocol/http.ts";
import type { Facts } from "./facts.ts";
import { insertRow, json, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

export interface WebhookSource {
  readonly name: string;
  /**
   * Given when the source is created: a source that is removed and created again under its name has another one, and
   * inherits nothing. Empty for a source from before there were IDs.
   */
  readonly id: string;
  readonly scheme: WebhookScheme;
  /** The signature's header, for schemes that do not fix it; null for the scheme's own header. */
  readonly signature: SignatureHeader | null;
  /** The secrets, each sealed (`webhooks/sealed-secret.ts`), in base64. */
  readonly sealedSecrets: readonly string[];
  readonly mapping: EventMapping;
  readonly filters: readonly WebhookFilter[];
  /** Grows with every change of any source and is never reused, also not after the source is removed and created again. */
  readonly revision: number;
  readonly createdAt: Millis;
  /** Bytes of its tasks that have not ended; null: the default. */
  readonly maxBytes: number | null;
  /** The largest body that is read; null: the default of the scheme. */
  readonly maxBodyBytes: number | null;
  /** What tells deliveries apart; null: the default of the scheme. */
  readonly identity: DeliveryIdentity | null;
  /** Deliveries that became a task. */
  readonly deliveries: number;
}

interface WebhookSourceEvents {
  /** The limits of an owner may have changed. */
  readonly onLimits: () => void;
  readonly facts: Pick<Facts, "note" | "noteLoss">;
}

export function webhookSourcesTable(sql: Sql, { onLimits, facts }: WebhookSourceEvents) {
  return {
    get(name: string): WebhookSource | null {
      const row = sql.exec(`SELECT * FROM webhook_sources WHERE name = ?`, name)[0];
      return row === undefined ? null : readSource(row);
    },
    put(source: WebhookSource): void {
      const isNew = this.get(source.name) === null;
      insertRow(
        sql,
        "webhook_sources",
        {
          name: source.name,
          id: source.id,
          scheme: source.scheme,
          signature: JSON.stringify(source.signature),
          sealed_secret: source.sealedSecrets.join(SECRETS_SEPARATOR),
          mapping: JSON.stringify(source.mapping),
          filters: JSON.stringify(source.filters),
          revision: source.revision,
          created_at: source.createdAt,
          deliveries: source.deliveries,
          max_bytes: source.maxBytes,
          max_body_bytes: source.maxBodyBytes,
          identity: JSON.stringify(source.identity),
        },
        `ON CONFLICT (name) DO UPDATE SET scheme = excluded.scheme, signature = excluded.signature,
           sealed_secret = excluded.sealed_secret, mapping = excluded.mapping, filters = excluded.filters,
           revision = excluded.revision, max_bytes = excluded.max_bytes,
           max_body_bytes = excluded.max_body_bytes, identity = excluded.identity`,
      );
      onLimits();
      if (isNew) facts.note("webhook_sources", [source.name]);
      // What was valid under the rules and secrets of before may not be any more.
      else facts.noteLoss("webhook_sources", [source.name]);
    },
    /** By name. */
    all(): readonly WebhookSource[] {
      return sql.exec(`SELECT * FROM webhook_sources ORDER BY name`).map(readSource);
    },
    /** What tells whether a source has changed, of every source. */
    versions: (): readonly Pick<WebhookSource, "name" | "id" | "revision">[] =>
      sql.exec(`SELECT name, id, revision FROM webhook_sources`).map((row) => ({
        name: text(row, "name"),
        id: text(row, "id"),
        revision: number(row, "revision"),
      })),
    countDelivery(name: string): void {
      sql.exec(`UPDATE webhook_sources SET deliveries = deliveries + 1 WHERE name = ?`, name);
    },
    remove(name: string): boolean {
      onLimits();
      facts.noteLoss("webhook_sources", [name]);
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

/** Separates the sealed secrets; base64 does not contain it. */
const SECRETS_SEPARATOR = " ";

const readSource = (row: SqlRow): WebhookSource => ({
  name: text(row, "name"),
  id: text(row, "id"),
  scheme: text(row, "scheme") as WebhookScheme,
  signature: json(row, "signature"),
  sealedSecrets: text(row, "sealed_secret").split(SECRETS_SEPARATOR),
  mapping: json(row, "mapping"),
  filters: json(row, "filters"),
  revision: number(row, "revision"),
  createdAt: number(row, "created_at"),
  deliveries: number(row, "deliveries"),
  maxBytes: numberOrNull(row, "max_bytes"),
  maxBodyBytes: numberOrNull(row, "max_body_bytes"),
  identity: json(row, "identity"),
});
