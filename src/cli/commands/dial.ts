import type { DialView } from "../../client/index.ts";
import { readArgs, type Command, wrongArguments } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { truncate } from "../display-width.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "dial URL [--public-key KEY] [--name NAME] | list | remove ID";

const ACTIONS = { list: 0, remove: 1 };

const OPTIONS = {
  ...TARGET_OPTIONS,
  "public-key": { type: "string" },
  name: { type: "string" },
} as const;

/** Registers, lists and removes addresses that the mesh dials. */
export const dial: Command = {
  usage,
  summary: "let the mesh dial a go-p2p node, now and whenever its session ends",
  details: [
    ["URL", "the node's address, such as wss://HOST:9091/ws; a registered one is dialed now"],
    ["--public-key KEY", "the key that the node must prove; default: the first key that it proves"],
    ["--name NAME", "a name for people"],
    ["list", "list the addresses, with their state and last error"],
    ["remove ID", "stop dialing an address, and end its session"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 2, usage });
    const [action = "", id] = positionals;
    const mesh = await controllerOf(values);
    if (action === "list" && id === undefined) {
      printDials(await mesh.dials.list().toArray(), values.json === true);
      return 0;
    }
    if (action === "remove" && id !== undefined) {
      await mesh.dials.remove(id);
      print(`address ${id} was removed`);
      return 0;
    }
    if (Object.hasOwn(ACTIONS, action)) throw wrongArguments(positionals, ACTIONS, usage);
    if (!action.includes("://"))
      throw new UsageError(
        `"${action}" is not the URL of a node, such as wss://HOST:9091/ws`,
        `usage: muster ${usage}`,
      );
    if (id !== undefined)
      throw new UsageError(`unexpected argument "${id}"`, `usage: muster ${usage}`);
    const { name, "public-key": publicKey } = values;
    const registered = await mesh.dials.put(action, {
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
  truncate(entry.last_error ?? "-", 60),
];
