import { GO_P2P_REQUESTS } from "../../../protocol/go-p2p-messages.ts";
import { JsonText } from "../../../client/index.ts";
import { action } from "../../actions.ts";
import { numberOption } from "../../args.ts";
import { UsageError } from "../../failure.ts";
import { peerId } from "../../identifiers.ts";
import { readPayload } from "../../payload.ts";
import { printJson, printJsonText } from "../../output.ts";
import { controllerOf } from "../../target.ts";

const usage = "request PEER_ID TYPE [PAYLOAD] [--timeout SECONDS]";

/** Sends a request of go-p2p to a peer, and prints its reply. */
export const request = action({
  usage,
  summary: "send a request to a connected peer, and print its reply as JSON",
  details: [
    ["PAYLOAD", "JSON; - reads it from stdin; default: null"],
    ["TYPE", `one of ${GO_P2P_REQUESTS.join(", ")}`],
    ["--timeout SECONDS", "how long the peer may take; default: 10"],
  ],
  options: { timeout: { type: "string" } },
  arguments: ["PEER_ID", "TYPE", "[PAYLOAD]"],
  run: async (values, [word = "", given = "", text]) => {
    const id = peerId(word, "PEER_ID");
    const type = GO_P2P_REQUESTS.find((known) => known === given);
    if (type === undefined)
      throw new UsageError(`TYPE must be one of ${GO_P2P_REQUESTS.join(", ")}, not "${given}"`);
    const timeout = numberOption("timeout", values.timeout);
    const payload = await readPayload(text);
    const mesh = await controllerOf(values);
    const reply = await mesh.peers.request(
      id,
      type,
      payload,
      timeout === undefined ? {} : { timeoutMs: timeout * 1_000 },
    );
    if (values.json === true)
      printJson({ type: reply.type, payload: new JsonText(reply.payload_text) });
    else printJsonText(reply.payload_text);
    return reply.type === "error" ? 1 : 0;
  },
});
