import type { Millis } from "../base/clock.ts";
import type { AuthMode } from "../protocol/http.ts";
import type { Facts } from "./facts.ts";
import { readRestoredAt } from "./after-restore.ts";
import { setSetting } from "./setting-row.ts";
import { number, text, type Sql, type SqlRow } from "./sql.ts";

interface SettingsEvents {
  /** A key may lose its right to connect. */
  readonly onLoss: () => void;
  readonly facts: Pick<Facts, "note" | "noteLoss">;
}

/** Of a registry that nobody watches. */
const NO_EVENTS: SettingsEvents = { onLoss: () => {}, facts: { note() {}, noteLoss() {} } };

/** Settings that the operator changed while the mesh ran. They override the configuration. */
export function settingsTable(sql: Sql, { onLoss, facts }: SettingsEvents = NO_EVENTS) {
  const restoredAt = readRestoredAt(sql);
  return {
    /** When the mesh was restored from a backup last; null if it never was. It changes only before the registry is opened. */
    restoredAt,
    /** The auth mode that was set; null while the configured one applies. */
    authMode(): AuthMode | null {
      const row = sql.exec(`SELECT value FROM settings WHERE key = 'auth_mode'`)[0];
      return row === undefined ? null : (text(row, "value") as AuthMode);
    },
    setAuthMode(mode: AuthMode): void {
      onLoss();
      setSetting(sql, "auth_mode", mode);
      if (mode === "open") facts.note("settings", ["auth_mode"]);
      else facts.noteLoss("settings", ["auth_mode"]);
    },
    /** The configuration under which the holders of discovery keys were judged last. */
    holdersJudgedUnder(): string | null {
      const row = sql.exec(`SELECT value FROM settings WHERE key = 'holders_judged_under'`)[0];
      return row === undefined ? null : text(row, "value");
    },
    setHoldersJudgedUnder(configuration: string): void {
      setSetting(sql, "holders_judged_under", configuration);
    },
    /** In another cell than cell 0: whether cell 0 dials any address. */
    anyDials(): boolean {
      return sql.exec(`SELECT 1 FROM settings WHERE key = 'any_dials' AND value = '1'`).length > 0;
    },
    setAnyDials(any: boolean): void {
      setSetting(sql, "any_dials", any ? "1" : "0");
    },
    /** A number greater than every number that was returned before. */
    nextWebhookSourceRevision(): number {
      const row = sql.exec(
        `INSERT INTO settings (key, value) VALUES ('webhook_source_revision', '1')
           ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)
           RETURNING CAST(value AS INTEGER) AS revision`,
      )[0] as SqlRow;
      return number(row, "revision");
    },
    /** When the public metadata is refreshed next; null when that is not due. */
    metadataDue(): Millis | null {
      const row = sql.exec(
        `SELECT CAST(value AS INTEGER) AS due FROM settings WHERE key = 'metadata_due'`,
      )[0];
      return row === undefined ? null : number(row, "due");
    },
    setMetadataDue(due: Millis): void {
      setSetting(sql, "metadata_due", String(due));
    },
  };
}
