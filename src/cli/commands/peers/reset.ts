import { action } from "../../actions.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";

const usage = "reset PEER_ID";

/** Closes the circuits of a peer that works again. */
export const reset = action({
  usage,
  summary: "close the circuits of a peer that works again: it gets tasks at once",
  details: [["PEER_ID", "this peer"]],
  options: {},
  arguments: [1, 1],
  run: async (values, positionals) => {
    const mesh = await controllerOf(values);
    const peer = await mesh.peers.resetCircuits(String(positionals[0]));
    if (values.json === true) printJson(peer);
    else print(`the circuits of ${peer.id} are closed`);
    return 0;
  },
});
