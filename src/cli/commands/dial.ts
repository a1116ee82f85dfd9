import type { DialView } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { UsageError } from "../failure.ts";
import { clipped, print, printJson, table } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "dial URL [--public-key KEY] [--name NAME] | list | remove ID";

const OPTIONS = {
  ...TARGET_OPTIONS,
  "public-key": { type: "string" },
  name: { type: "string" },
} as const;

/** Registers, lists and removes addresses of peers that listen. */
export const dial: Command = {
  usage,
  summary: "have the mesh dial a go-p2p node that listens, now and whenever it is away",
  details: [
    ["URL", "where it listens, such as wss://HOST:9091/ws; the same again dials now"],
    ["--public-key KEY", "the only key taken there; else the first that is proved there"],
    ["--name NAME", "for people"],
    ["list", "the addresses, and what came of dialling them"],
    ["remove ID", "dial an address no more, and end the session that it led to"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 2, usage });
    const [action = "", id] = positionals;
    const mesh = await controllerOf(values);
    if (action === "list" && id === undefined) {
      printDials(await mesh.dials(), values.json === true);
      return 0;
    }
    if (action === "remove" && id !== undefined) {
      await mesh.hangUp(id);
      print(`${id} is dialled no more`);
      return 0;
    }
    if (!action.includes("://") || id !== undefined)
      throw new UsageError(
        `"${positionals.join(" ")}" is not understood`,
        `usage: muster ${usage}`,
      );
    const { name, "public-key": publicKey } = values;
    const registered = await mesh.dial(action, {
      ...(name !== undefined && { name }),
      ...(publicKey !== undefined && { publicKey }),
    });
    if (values.json === true) printJson(registered);
    else print(`${registered.id} is ${registered.state}: ${registered.url}`);
    return 0;
  },
};

function printDials(dials: readonly DialView[], asJson: boolean): void {
  if (asJson) printJson(dials);
  else if (dials.length === 0) print("no addresses");
  else print(table(["id", "url", "peer", "state", "failures", "last error"], dials.map(row)));
}

const row = (entry: DialView): (string | number)[] => [
  entry.id,
  entry.url,
  entry.peer_id ?? "-",
  entry.state,
  entry.failures,
  clipped(entry.last_error ?? "-", 60),
];
