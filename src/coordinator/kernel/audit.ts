import type { JsonObject } from "../../base/json.ts";
import type { Result } from "../../base/result.ts";
import type { CommandName, Input, Output } from "../../contract/commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import { TRIM_EVERY } from "../../registry/audit.ts";
import type { Context } from "./context.ts";

/** Longest subject by which `GET /v1/audit` can filter. */
export const AUDIT_SUBJECT_CHARS_MAX = 100;

/** What an audit entry says about a command, besides who gave it, when, and with which outcome. */
interface AuditedAct {
  readonly subject: string;
  /** Contains no secret. */
  readonly detail?: JsonObject;
}

/** Describes a command for the audit log; null for one that changes nothing. `output` is null when it was refused. */
export type DescribeAct<K extends CommandName> = (
  input: Input<K>,
  output: Output<K> | null,
) => AuditedAct | null;

/** The audited commands of one domain: every admission decision, and every act that changes who may do what. */
export type AuditEntriesOf<Commands> = {
  readonly [K in keyof Commands & CommandName]?: DescribeAct<K>;
};

/** Writes what a command did, or why it was refused. Commands without a description are not audited. */
export function recordAct<K extends CommandName>(
  { registry, now, actor }: Pick<Context, "registry" | "now" | "actor">,
  name: K,
  describe: DescribeAct<K> | undefined,
  input: Input<K>,
  result: Result<Output<K>, MusterError>,
): void {
  const act = describe?.(input, result.ok ? result.value : null) ?? null;
  if (act === null) return;
  const { subject, detail } = act;
  const outcome = result.ok ? "ok" : result.error.code;
  const entry = { at: now, actor, act: name, subject, outcome, detail: detail ?? {} };
  if (registry.audit.add(entry) % TRIM_EVERY === 0) registry.audit.trimRefusals();
}
