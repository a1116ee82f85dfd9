import type { JsonObject } from "../../base/json.ts";
import type { Result } from "../../base/result.ts";
import type {
  CommandName,
  Commands,
  GatewayCommandName,
  Input,
  Output,
} from "../../contract/commands.ts";
import type { ReadCommandName } from "../../contract/read-commands.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { AuditBudget } from "../../registry/audit.ts";
import type { Context } from "./context.ts";

/** Longest subject by which `GET /v1/audit` can filter. */
export const AUDIT_SUBJECT_CHARS_MAX = 100;

/** What an audit entry says about a command, besides who gave it, when, and with which outcome. */
interface AuditedAct {
  readonly subject: string;
  /** Contains no secret. */
  readonly detail?: JsonObject;
  /** Members of the detail in which repetitions of an act that succeeded may differ: the entry shows the newest values. */
  readonly newestOf?: readonly string[];
}

/**
 * Describes a command for the audit log; null for one that changes nothing, or nothing that is an administrator's. `output` is
 * null when it was refused.
 */
type DescribeAct<K extends CommandName> = (
  input: Input<K>,
  output: Output<K> | null,
) => AuditedAct | null;

/** Says why a command that writes has no audit entries. */
interface NotAudited {
  readonly notAudited: string;
}

/** Whether and how a command is audited. */
export type Audited<K extends CommandName> = DescribeAct<K> | NotAudited;

/** The commands of the HTTP API that write: an administrator may give each of them. */
export type ApiWriteName = Exclude<GatewayCommandName, ReadCommandName>;

/**
 * The audited commands of one domain. Every command of the HTTP API that writes has a description, or says why it has none: one
 * without does not compile. Of the other commands every admission decision, and every act that changes who may do what.
 */
export type AuditEntriesOf<Domain> = {
  readonly [K in keyof Domain & ApiWriteName]: Audited<K>;
} & {
  readonly [K in Exclude<keyof Domain & keyof Commands, ApiWriteName>]?: DescribeAct<K>;
};

/** Writes what a command did, or why it was refused. */
export function recordAct<K extends CommandName>(
  context: Pick<Context, "registry" | "now" | "actor">,
  name: K,
  audited: Audited<K> | undefined,
  input: Input<K>,
  result: Result<Output<K>, MusterError>,
): void {
  if (typeof audited !== "function") return;
  const act = audited(input, result.ok ? result.value : null);
  if (act === null) return;
  const { registry, now, actor } = context;
  const { subject, detail = {}, newestOf = [] } = act;
  const outcome = result.ok ? "ok" : result.error.code;
  registry.audit.add(
    {
      actor,
      act: name,
      subject: subject.slice(0, AUDIT_SUBJECT_CHARS_MAX),
      outcome,
      detail,
      newestOf,
    },
    budgetOf(context),
    now,
  );
}

/** Whose entries an entry of this actor is counted with. */
function budgetOf({
  registry,
  now,
  actor,
}: Pick<Context, "registry" | "now" | "actor">): AuditBudget {
  const [kind = "", id = ""] = actor.split(":", 2);
  switch (kind) {
    case "admin":
    case "mesh":
      return "operator";
    case "token":
      return registry.apiTokens.get(id)?.scope === "admin" ? "operator" : "listed";
    case "dial":
      return "listed";
    case "peer":
      // A peer that has just rotated is listed under its new ID.
      return registry.allowlist.lists(registry.aliases.resolve(id, now)) ? "listed" : "stranger";
    default:
      return "stranger";
  }
}
