import { toRfc3339, type Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import { FIRST_PLACE, type ListPlace } from "../../cells/list-place.ts";
import type { AuditView } from "../../protocol/http.ts";
import type { AuditEntry } from "../../registry/audit.ts";
import { cursorOf } from "../../protocol/list-cursor.ts";
import type { Handler } from "../kernel/handler.ts";
import { placeBefore, placedPage, readSequence } from "../kernel/paging.ts";

export const listAudit: Handler<"list_audit"> = (
  { registry },
  { limit, cursor, after, subject, act },
) => {
  const before = readSequence("audit", cursor);
  if (!before.ok) return before;
  if (after !== undefined) {
    const cell = registry.cells.own;
    const begins = placeBefore(after, before.value, (seq) => {
      const entry = registry.audit.atOrAfter(seq);
      return entry === null ? FIRST_PLACE : placeOf(cell, entry);
    });
    const filter = { limit: limit + 1, subject, act };
    const found = registry.audit.listBehind(filter, startIn(cell, begins));
    const { items, paging } = placedPage({ limit, begins }, found, {
      place: (entry) => placeOf(cell, entry),
      view: auditView,
    });
    return ok({ entries: items, ...paging });
  }
  const entries = registry.audit.list({ limit: limit + 1, before: before.value, subject, act });
  const page = entries.slice(0, limit);
  return ok({
    entries: page.map(auditView),
    next_cursor: entries.length > limit ? cursorOf("audit", String(page.at(-1)?.seq)) : null,
  });
};

const SEQ_DIGITS = 15;

/** Entries of the same time are in the order of their cells, and those of a cell have the newest first. */
function placeOf(cell: number, { at, seq }: Pick<AuditEntry, "at" | "seq">): ListPlace {
  const older = 10 ** SEQ_DIGITS - seq;
  return { at, id: `${String(cell).padStart(2, "0")}-${String(older).padStart(SEQ_DIGITS, "0")}` };
}

/** The entries of this cell behind a place: its sequence number counts for those of the same time. */
function startIn(cell: number, { at, id }: ListPlace): { at: Millis; seq: number } {
  const [, place, older] = /^(\d\d)-(\d{15})$/.exec(id) ?? [];
  if (place === undefined || Number(place) < cell) return { at, seq: Number.MAX_SAFE_INTEGER };
  return { at, seq: Number(place) > cell ? 0 : 10 ** SEQ_DIGITS - Number(older) };
}

const auditView = ({
  at,
  lastAt,
  count,
  actor,
  act,
  subject,
  outcome,
  detail,
}: AuditEntry): AuditView => ({
  at: toRfc3339(at),
  last_at: toRfc3339(lastAt),
  count,
  actor,
  act,
  subject,
  outcome,
  detail,
});
