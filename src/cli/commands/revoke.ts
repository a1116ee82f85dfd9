import type { RevokedPeer } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "revoke PEER_ID | PUBLIC_KEY [--keep-tasks]";

const OPTIONS = { ...TARGET_OPTIONS, "keep-tasks": { type: "boolean" } } as const;

/** Revokes a peer, or a key that the mesh does not know. */
export const revoke: Command = {
  usage,
  summary: "revoke a peer: its session ends at once, and its key cannot join again",
  details: [
    ["PEER_ID", "the peer's ID; the mesh need not know the peer"],
    ["PUBLIC_KEY", "the key itself, in hex"],
    ["--keep-tasks", "leave the tasks that the peer submitted; without it they are cancelled"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 1, usage });
    const options = { keepTasks: values["keep-tasks"] === true };
    const peer = await (await controllerOf(values)).peers.revoke(String(positionals[0]), options);
    if (values.json === true) printJson(peer);
    else print(linesOf(peer));
    return 0;
  },
};

function linesOf({ id, state, known, rotated_from: rotatedFrom }: RevokedPeer): readonly string[] {
  const lines = [`${id} is ${state}`];
  if (rotatedFrom !== null) lines.unshift(`${rotatedFrom} has rotated its key and is ${id} now`);
  if (!known) lines.push("the mesh has no record of this key; it is refused if it comes");
  return lines;
}
