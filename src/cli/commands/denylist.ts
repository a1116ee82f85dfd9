import type { DenyEntry } from "../../client/index.ts";
import { DENY_REASONS } from "../../protocol/http.ts";
import { action, withActions } from "../actions.ts";
import { choiceOption } from "../args.ts";
import { peerIdOrKey } from "../identifiers.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf } from "../target.ts";

const list = action({
  usage: "list [--reason REASON]",
  summary: "list the keys that may not join",
  details: [
    ["--reason REASON", `only keys that were barred for this reason (${DENY_REASONS.join(", ")})`],
  ],
  options: { reason: { type: "string" } },
  arguments: [],
  run: async (values) => {
    const reason = choiceOption("reason", values.reason, DENY_REASONS);
    const mesh = await controllerOf(values);
    const filter = reason === undefined ? {} : { reason };
    printEntries(await mesh.denylist.list(filter).toArray(), values.json === true);
    return 0;
  },
});

const lift = action({
  usage: "lift PEER_ID | PUBLIC_KEY",
  summary: "the key of this peer may connect again, as the auth mode and the allowlist say",
  options: {},
  arguments: ["PEER_ID or PUBLIC_KEY"],
  run: async (values, [word = ""]) => {
    const key = peerIdOrKey(word);
    const mesh = await controllerOf(values);
    await mesh.denylist.remove(key);
    if (values.json === true) printJson({ key, denied: false });
    else print(`the revocation of ${key} is lifted`);
    return 0;
  },
});

/** Lists the keys that are barred, and lifts a revocation. */
export const denylist = withActions("denylist", {
  summary: "list the keys that may not join in any mode, or lift a revocation",
  examples: ["denylist list --reason revoked", "denylist lift 9f86d081884c7d659a2feaa0c55ad015"],
  actions: { list, lift },
});

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
