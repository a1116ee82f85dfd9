import type { PeerView } from "../../../client/index.ts";
import { action } from "../../actions.ts";
import { peerId } from "../../identifiers.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";

/** Shows what the mesh knows of one peer. */
export const show = action({
  usage: "show PEER_ID",
  summary: "show what the mesh knows of a peer",
  options: {},
  arguments: ["PEER_ID"],
  run: async (values, [word = ""]) => {
    const id = peerId(word, "PEER_ID");
    const peer = await (await controllerOf(values)).peers.get(id);
    if (values.json === true) printJson(peer);
    else print(linesOf(peer));
    return 0;
  },
});

/** One line for each field of the API that has a value. */
function linesOf(peer: PeerView): readonly string[] {
  const fields = Object.entries(peer).filter(([, value]) => value !== null && value !== "");
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${textOf(value)}`);
}

const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  const isPlainList = Array.isArray(value) && value.every((each) => typeof each === "string");
  return isPlainList ? value.join(" ") : JSON.stringify(value);
};
