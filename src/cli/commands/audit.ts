import type { AuditView } from "../../protocol/http.ts";
import { positiveOption } from "../args.ts";
import { command } from "../command.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { truncate } from "../display-width.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "audit [--subject ID] [--act ACT] [--last N]";
const LAST_DEFAULT = 50;
const DETAIL_CHARS = 80;

const OPTIONS = {
  ...TARGET_OPTIONS,
  subject: { type: "string" },
  act: { type: "string" },
  last: { type: "string" },
} as const;

/** Prints the audit log. */
export const audit = command({
  usage,
  summary: "list admissions, rejections and administrative changes",
  details: [
    ["--subject ID", "only entries about this peer, key, token or webhook source"],
    ["--act ACT", "only entries of this act, such as admit or revoke_peer"],
    ["--last N", `the number of entries; default: ${LAST_DEFAULT}`],
    ...TARGET_DETAILS,
  ],
  examples: ["audit --act revoke_peer --last 10"],
  options: OPTIONS,
  arguments: [],
  run: async (values) => {
    const last = positiveOption("last", values.last) ?? LAST_DEFAULT;
    const mesh = await controllerOf(values);
    const { subject, act } = values;
    const filter = { ...(subject !== undefined && { subject }), ...(act !== undefined && { act }) };
    const entries: AuditView[] = [];
    for await (const entry of mesh.audit.list(filter)) {
      if (entries.length >= last) break;
      entries.push(entry);
    }
    if (values.json === true) printJson(entries);
    else if (entries.length === 0) print("no entries");
    else print(table(["at", "actor", "act", "subject", "outcome", "detail"], entries.map(row)));
    return 0;
  },
});

/** When it happened; for an act that was repeated how often, and when last. */
const times = ({ at, last_at, count }: AuditView): string =>
  count === 1 ? at : `${at} ×${count}, last at ${last_at}`;

const row = (entry: AuditView): string[] => {
  const { actor, act, subject, outcome, detail } = entry;
  return [
    times(entry),
    actor,
    act,
    subject,
    outcome,
    truncate(JSON.stringify(detail), DETAIL_CHARS),
  ];
};
