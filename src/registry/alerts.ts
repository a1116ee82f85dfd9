import { toRfc3339 } from "../base/clock.ts";
import { cellOf, shownAs, type Alert, type AlertCell } from "../alerts/alert.ts";
import type { AlertType } from "../protocol/alert-types.ts";
import type { MeshEvent } from "../protocol/events.ts";
import { insertRow, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/**
 * The alerts that fire: at most some tens.
 *
 * @param record keeps the event of a change
 */
export function alertsTable(sql: Sql, cell: AlertCell, record: (event: MeshEvent) => void) {
  return {
    /** Those that have fired for longest first. */
    list: (): readonly Alert[] =>
      sql.exec(`SELECT * FROM alerts ORDER BY fired_at, key`).map(readAlert),

    fire(alert: Alert): void {
      insertRow(sql, "alerts", {
        key: alert.key,
        alert: alert.alert,
        peer_id: alert.peer,
        kind: alert.kind,
        cell: alert.cell,
        since: alert.since,
        fired_at: alert.firedAt,
        clear_since: alert.clearSince,
        value: alert.value,
        threshold: alert.threshold,
        message: alert.message,
      });
      record(alertEvent(alert, cell, "alert.firing"));
    },

    /** Writes since when nothing is wrong. */
    update({ key, clearSince }: Alert): void {
      sql.exec(`UPDATE alerts SET clear_since = ? WHERE key = ?`, clearSince, key);
    },

    resolve(alert: Alert): void {
      sql.exec(`DELETE FROM alerts WHERE key = ?`, alert.key);
      record(alertEvent(alert, cell, "alert.resolved"));
    },

    /** How many fire, by type. */
    counts: (): readonly { readonly alert: AlertType; readonly count: number }[] =>
      sql.exec(`SELECT alert, COUNT(*) AS count FROM alerts GROUP BY alert`).map((row) => ({
        alert: text(row, "alert") as AlertType,
        count: number(row, "count"),
      })),
  };
}

function alertEvent(
  alert: Alert,
  cell: AlertCell,
  type: "alert.firing" | "alert.resolved",
): MeshEvent {
  const { peer, kind, cell: about, since, value, threshold } = alert;
  const { key, message } = shownAs(alert, cell);
  const subject = { alert: alert.alert, key, peer, kind, ...cellOf(about) };
  return { type, ...subject, since: toRfc3339(since), value, threshold, message };
}

const readAlert = (row: SqlRow): Alert => ({
  key: text(row, "key"),
  alert: text(row, "alert") as AlertType,
  peer: textOrNull(row, "peer_id"),
  kind: textOrNull(row, "kind"),
  cell: numberOrNull(row, "cell"),
  since: number(row, "since"),
  firedAt: number(row, "fired_at"),
  clearSince: numberOrNull(row, "clear_since"),
  value: number(row, "value"),
  threshold: number(row, "threshold"),
  message: text(row, "message"),
});
