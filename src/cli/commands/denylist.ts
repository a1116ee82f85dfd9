import type { DenyEntry } from "../../client/index.ts";
import { DENY_REASONS } from "../../protocol/http.ts";
import { choiceOption, readArgs, type Command, wrongArguments } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "denylist list [--reason REASON] | lift PEER_ID | lift PUBLIC_KEY";

const ACTIONS = { list: 0, lift: 1 };

const OPTIONS = { ...TARGET_OPTIONS, reason: { type: "string" } } as const;

/** Lists the keys that are barred, and lifts a revocation. */
export const denylist: Command = {
  usage,
  summary: "list the keys that may not join in any mode, or lift a revocation",
  details: [
    ["--reason REASON", `only keys that were barred for this reason (${DENY_REASONS.join(", ")})`],
    ["lift ID", "the key of this peer may connect again, as the auth mode and the allowlist say"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 2, usage });
    const [action, key] = positionals;
    const reason = choiceOption("reason", values.reason, DENY_REASONS);
    const mesh = await controllerOf(values);
    if (action === "list" && key === undefined) {
      const filter = reason === undefined ? {} : { reason };
      printEntries(await mesh.denylist.list(filter).toArray(), values.json === true);
      return 0;
    }
    if (action === "lift" && key !== undefined) {
      if (reason !== undefined)
        throw new UsageError("--reason is an option of list", `usage: muster ${usage}`);
      await mesh.denylist.remove(key);
      if (values.json === true) printJson({ key, denied: false });
      else print(`the revocation of ${key} is lifted`);
      return 0;
    }
    throw wrongArguments(positionals, ACTIONS, usage);
  },
};

function printEntries(entries: readonly DenyEntry[], asJson: boolean): void {
  if (asJson) printJson(entries);
  else if (entries.length === 0) print("no key is barred");
  else print(table(["peer", "reason", "since", "by", "now"], entries.map(row)));
}

const row = ({ peer_id, reason, denied_at, denied_by, rotated_to }: DenyEntry) => [
  peer_id,
  reason,
  denied_at,
  denied_by ?? "-",
  rotated_to ?? "-",
];
