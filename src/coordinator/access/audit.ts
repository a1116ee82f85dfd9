import type { JsonObject } from "../../base/json.ts";
import { toRfc3339 } from "../../base/clock.ts";
import { ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { AuditView } from "../../protocol/http.ts";
import { TRIM_EVERY, type AuditEntry } from "../../registry/audit.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { Context } from "../kernel/context.ts";
import type { Handler } from "../kernel/handler.ts";
import { readSequence } from "../peers/queries.ts";

/** What `GET /v1/audit` can be asked for by subject. */
const SUBJECT_CHARS_MAX = 100;

interface Act {
  readonly subject: string;
  readonly detail?: JsonObject;
}
type Describe<K extends CommandName> = (input: Input<K>, output: Output<K> | null) => Act | null;

/** Every admission decision and every act that changes who may do what: what the log says of it. No secret stands there. */
const AUDITED: { readonly [K in CommandName]?: Describe<K> } = {
  admit: ({ peerId, protocol, claimedRole, name, joinKey }, output) => ({
    subject: peerId,
    detail: {
      protocol,
      claimed_role: claimedRole,
      name,
      by_join_key: joinKey !== null,
      epoch: output?.epoch ?? null,
    },
  }),
  // Asking changes nothing, and is asked often.
  request_peer: ({ id, type }) =>
    type === "get_stats" || type === "get_logs" ? null : { subject: id, detail: { type } },
  revoke_peer: ({ id }) => ({ subject: id }),
  forget_peer: ({ id }) => ({ subject: id }),
  dial_peer: ({ url, name, key }, output) => ({
    subject: url.slice(0, SUBJECT_CHARS_MAX),
    detail: { dial: output?.dial.id ?? null, name, public_key: key?.publicKey ?? null },
  }),
  remove_dial: ({ id }) => ({ subject: id }),
  rotate_peer: ({ peerId, newPeerId }) => ({ subject: peerId, detail: { new_peer_id: newPeerId } }),
  set_auth_mode: ({ mode }) => ({ subject: "auth_mode", detail: { mode } }),
  allow: ({ peerId, publicKey, label, roles, readmit, go_p2p }) => ({
    subject: peerId,
    detail: { public_key: publicKey, label, roles: [...roles], readmit, go_p2p },
  }),
  disallow: ({ publicKey }) => ({ subject: publicKey }),
  put_webhook_source: ({ name, scheme }) => ({ subject: name, detail: { scheme } }),
  remove_webhook_source: ({ name }) => ({ subject: name }),
  create_token: ({ label, scope }, output) => ({
    subject: output?.id ?? "",
    detail: { label, scope },
  }),
  revoke_token: ({ id }) => ({ subject: id }),
  create_join_key: ({ label, roles, uses }, output) => ({
    subject: output?.id ?? "",
    detail: { label, roles, uses },
  }),
  revoke_join_key: ({ id }) => ({ subject: id }),
};

/** Writes what a command did, or why it was refused. */
export function record<K extends CommandName>(
  { registry, now, actor }: Omit<Context, "effects">,
  name: K,
  input: Input<K>,
  result: Result<Output<K>, MusterError>,
): void {
  const describe: Describe<K> | undefined = AUDITED[name];
  if (describe === undefined) return;
  const act = describe(input, result.ok ? result.value : null);
  if (act === null) return;
  const { subject, detail } = act;
  const outcome = result.ok ? "ok" : result.error.code;
  const entry = { at: now, actor, act: name, subject, outcome, detail: detail ?? {} };
  if (registry.audit.add(entry) % TRIM_EVERY === 0) registry.audit.trimRefusals();
}

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

const auditView = ({ at, actor, act, subject, outcome, detail }: AuditEntry): AuditView => ({
  at: toRfc3339(at),
  actor,
  act,
  subject,
  outcome,
  detail,
});
