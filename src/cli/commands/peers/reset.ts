import { readArgs, type Command } from "../../args.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf, TARGET_OPTIONS } from "../../target.ts";

const usage = "peers reset PEER_ID";

/** Closes the circuits of a peer that works again. */
export const reset: Command = {
  usage,
  summary: "close the circuits of a peer that works again: it gets tasks at once",
  details: [["PEER_ID", "this peer"]],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 1, max: 1, usage });
    const mesh = await controllerOf(values);
    const peer = await mesh.peers.resetCircuits(String(positionals[0]));
    if (values.json === true) printJson(peer);
    else print(`the circuits of ${peer.id} are closed`);
    return 0;
  },
};
