import type { RefusedDelivery } from "../../../client/index.ts";
import { troubleshootingEntry } from "../../../protocol/troubleshooting.ts";
import { action } from "../../actions.ts";
import { counted, print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";
import { quotedCommand } from "../../command-name.ts";

/** Lists the refused deliveries of a source. */
export const refused = action({
  usage: "refused NAME",
  summary: "list what was refused and why, by reason, newest first, and what to do",
  options: {},
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    const list = await (await controllerOf(values)).webhooks.refused(name);
    if (values.json === true) {
      printJson(list);
      return 0;
    }
    const { refused: entries, unknown_sources: unknown } = list;
    if (entries.length === 0) print("no refused deliveries");
    for (const entry of entries) print(entryLines(entry));
    if (unknown !== null)
      print(
        `The mesh also refused ${deliveriesText(unknown.count)} whose URL names no source, the last at ${unknown.last_at}. Compare the URL at the sender with ${quotedCommand(`webhook show ${name}`)}.`,
      );
    const remedies = new Set(entries.flatMap(({ code }) => remedyOf(code, name)));
    if (remedies.size > 0) print(["", "What to do:", ...remedies]);
    return 0;
  },
});

function entryLines(entry: RefusedDelivery): readonly string[] {
  const { code, status, count, first_at: first, last_at: last, detail, method, bytes } = entry;
  const since = count === 1 ? "" : `, ${count} times since ${first}`;
  const from = entry.address === null ? "" : ` from ${entry.address}`;
  const size = bytes === null ? "" : `, ${counted(bytes, "byte")}`;
  return [
    `${last}  ${status} ${code}${since}`,
    `  ${detail}`,
    `  ${method}${from}${size}`,
    ...Object.entries(entry.headers).map(([name, value]) => `    ${name}: ${value}`),
  ];
}

/** What docs/troubleshooting.md says to do about a code. */
function remedyOf(code: string, name: string): readonly string[] {
  const remedy = /^- Remedy: (.+)$/m.exec(troubleshootingEntry(code)?.text ?? "")?.[1];
  return remedy === undefined ? [] : [`  ${code}: ${remedy.replaceAll("NAME", name)}`];
}

const deliveriesText = (count: number): string =>
  count === 1 ? "1 delivery" : `${count} deliveries`;
