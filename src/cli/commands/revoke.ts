import type { RevokedPeer } from "../../client/index.ts";
import { command } from "../command.ts";
import { peerIdOrKey } from "../identifiers.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "revoke PEER_ID | PUBLIC_KEY [--keep-tasks]";

const OPTIONS = { ...TARGET_OPTIONS, "keep-tasks": { type: "boolean" } } as const;

/** Revokes a peer, or a key that the mesh does not know. */
export const revoke = command({
  usage,
  summary: "revoke a peer: its session ends at once, and its key cannot join again",
  details: [
    ["PEER_ID", "the peer's ID; the mesh need not know the peer"],
    ["PUBLIC_KEY", "the key itself, in hex"],
    ["--keep-tasks", "leave the tasks that the peer submitted; without it they are cancelled"],
    ...TARGET_DETAILS,
  ],
  examples: ["revoke 9f86d081884c7d659a2feaa0c55ad015"],
  options: OPTIONS,
  arguments: ["PEER_ID or PUBLIC_KEY"],
  run: async (values, [word = ""]) => {
    const named = peerIdOrKey(word);
    const options = { keepTasks: values["keep-tasks"] === true };
    const peer = await (await controllerOf(values)).peers.revoke(named, options);
    if (values.json === true) printJson(peer);
    else print(linesOf(peer));
    return 0;
  },
});

function linesOf({ id, state, known, rotated_from: rotatedFrom }: RevokedPeer): readonly string[] {
  const lines = [`${id} is ${state}`];
  if (rotatedFrom !== null) lines.unshift(`${rotatedFrom} has rotated its key and is ${id} now`);
  if (!known) lines.push("the mesh has no record of this key; it is refused if it comes");
  return lines;
}
