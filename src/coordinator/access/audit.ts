import { toRfc3339 } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { AuditView } from "../../protocol/http.ts";
import type { AuditEntry } from "../../registry/audit.ts";
import type { Handler } from "../kernel/handler.ts";
import { readSequence } from "../kernel/paging.ts";

export const listAudit: Handler<"list_audit"> = ({ registry }, { limit, cursor, subject, act }) => {
  const before = readSequence(cursor);
  if (!before.ok) return before;
  const entries = registry.audit.list({ limit: limit + 1, before: before.value, subject, act });
  const page = entries.slice(0, limit);
  return ok({
    entries: page.map(auditView),
    next_cursor: entries.length > limit ? String(page.at(-1)?.seq) : null,
  });
};

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
