import type { CommandName } from "../../contract/commands.ts";
import type { RefusalPlace } from "../../metrics/peer-families.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { Result } from "../../base/result.ts";
import type { Context } from "../kernel/context.ts";

/** Counts a command, and where and why it was refused. */
export function countCommand(
  { registry: { metrics } }: Pick<Context, "registry">,
  name: CommandName,
  result: Result<unknown, MusterError>,
): void {
  metrics.count("muster_commands", [name, result.ok ? "ok" : "refused"]);
  if (!result.ok) countRefusal({ metrics }, placeOf(name), result.error.code);
}

/** Counts one thing, or several, that was refused for one reason. */
export function countRefusal(
  { metrics }: Pick<Context["registry"], "metrics">,
  place: RefusalPlace,
  reason: MusterError["code"],
  by = 1,
): void {
  metrics.count("muster_refusals", [place, reason], by);
}

const SUBMISSIONS: ReadonlySet<CommandName> = new Set([
  "submit_task",
  "enqueue_task",
  "submit_batch",
  "assign_task",
]);

function placeOf(name: CommandName): RefusalPlace {
  if (name === "admit") return "admission";
  return SUBMISSIONS.has(name) ? "submission" : "command";
}
