import { action } from "../../actions.ts";
import { peerId } from "../../identifiers.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";

const usage = "reset PEER_ID";

/** Closes the circuits of a peer that works again. */
export const reset = action({
  usage,
  summary: "close the circuits of a peer that works again: it gets tasks at once",
  details: [["PEER_ID", "this peer"]],
  options: {},
  arguments: ["PEER_ID"],
  run: async (values, [word = ""]) => {
    const id = peerId(word, "PEER_ID");
    const mesh = await controllerOf(values);
    const peer = await mesh.peers.resetCircuits(id);
    if (values.json === true) printJson(peer);
    else print(`the circuits of ${peer.id} are closed`);
    return 0;
  },
});
