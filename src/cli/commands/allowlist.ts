import type { AllowEntry } from "../../client/index.ts";
import { action, withActions } from "../actions.ts";
import { limitsText } from "../owner-limits.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf } from "../target.ts";

const list = action({
  usage: "list",
  summary: "list the keys that may join, with their roles and limits",
  options: {},
  arguments: [],
  run: async (values) => {
    const entries = await (await controllerOf(values)).allowlist.list().toArray();
    if (values.json === true) printJson(entries);
    else if (entries.length === 0) print("no key is on the allowlist");
    else
      print(table(["peer", "label", "roles", "limits", "since", "public key"], entries.map(row)));
    return 0;
  },
});

/** Lists the allowlist. `muster allow` and `muster disallow` change it. */
export const allowlist = withActions("allowlist", {
  summary: "list the keys that may join; `allow` and `disallow` change the list",
  examples: ["allowlist"],
  actions: { list },
  otherwise: list,
});

const row = ({ peer_id, label, roles, limits, added_at, public_key }: AllowEntry) => [
  peer_id,
  label,
  roles.join(","),
  limitsText(limits),
  added_at,
  public_key,
];
