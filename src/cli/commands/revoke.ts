import { readArgs, type Command } from "../args.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "revoke PEER_ID";

/** Revokes a peer. */
export const revoke: Command = {
  usage,
  summary: "revoke a peer: its session ends at once, and its key cannot join again",
  details: TARGET_DETAILS,
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 1, max: 1, usage });
    const peer = await (await controllerOf(values)).peers.revoke(String(positionals[0]));
    if (values.json === true) printJson(peer);
    else print(`${peer.id} is ${peer.state}`);
    return 0;
  },
};
