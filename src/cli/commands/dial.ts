import { usageLine } from "../command-name.ts";
import type { DialView } from "../../client/index.ts";
import { action, withActions } from "../actions.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { truncate } from "../display-width.ts";
import { controllerOf } from "../target.ts";

const usage = "URL [--public-key KEY] [--name NAME]";

const register = action({
  usage,
  summary: "the node's address, such as wss://HOST:9091/ws; a registered one is dialed now",
  details: [
    ["--public-key KEY", "the key that the node must prove; default: the first key that it proves"],
    ["--name NAME", "a name for people"],
  ],
  options: { "public-key": { type: "string" }, name: { type: "string" } },
  arguments: ["URL"],
  run: async (values, [url = ""]) => {
    if (!url.includes("://"))
      throw new UsageError(
        `"${url}" is not the URL of a node, such as wss://HOST:9091/ws`,
        usageLine(`dial ${usage} | list | remove ID`),
      );
    const { name, "public-key": publicKey } = values;
    const mesh = await controllerOf(values);
    const registered = await mesh.dials.put(url, {
      ...(name !== undefined && { name }),
      ...(publicKey !== undefined && { publicKey }),
    });
    if (values.json === true) printJson(registered);
    else print(`${registered.id} is ${registered.state}: ${registered.url}`);
    return 0;
  },
});

const list = action({
  usage: "list",
  summary: "list the addresses, with their state and last error",
  options: {},
  arguments: [],
  run: async (values) => {
    const mesh = await controllerOf(values);
    printDials(await mesh.dials.list().toArray(), values.json === true);
    return 0;
  },
});

const remove = action({
  usage: "remove ID",
  summary: "stop dialing an address, and end its session",
  options: {},
  arguments: ["ID"],
  run: async (values, [id = ""]) => {
    const mesh = await controllerOf(values);
    await mesh.dials.remove(id);
    if (values.json === true) printJson({ id, removed: true });
    else print(`address ${id} was removed`);
    return 0;
  },
});

/** Registers, lists and removes addresses that the mesh dials. */
export const dial = withActions("dial", {
  summary: "let the mesh dial a go-p2p node, now and whenever its session ends",
  examples: ["dial wss://node.example:9091/ws --name lab", "dial list"],
  actions: { list, remove },
  otherwise: register,
});

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
