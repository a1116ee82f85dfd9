import { action } from "../../actions.ts";
import { peerId } from "../../identifiers.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";

/** Deletes what the mesh knows of a peer. */
export const forget = action({
  usage: "forget PEER_ID",
  summary: "delete the data about a peer; its key may join again (`revoke` bars it)",
  options: {},
  arguments: ["PEER_ID"],
  run: async (values, [word = ""]) => {
    const id = peerId(word, "PEER_ID");
    await (await controllerOf(values)).peers.forget(id);
    if (values.json === true) printJson({ id, forgotten: true });
    else print(`${id} is forgotten`);
    return 0;
  },
});
