import type { PairRttView } from "../../client/index.ts";
import { command } from "../command.ts";
import { peerId } from "../identifiers.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "rtt PEER OTHER";

/** Prints the estimated round-trip time between two peers. */
export const rtt = command({
  usage,
  summary: "estimate the round-trip time between two peers",
  details: TARGET_DETAILS,
  examples: ["rtt 9f86d081884c7d659a2feaa0c55ad015 0123456789abcdef0123456789abcdef"],
  options: TARGET_OPTIONS,
  arguments: ["PEER", "OTHER"],
  run: async (values, [first = "", second = ""]) => {
    const [id, other] = [peerId(first, "PEER"), peerId(second, "OTHER")];
    const mesh = await controllerOf(values);
    const pair = await mesh.peers.rtt(id, other);
    if (values.json === true) printJson(pair);
    else print(rttLine(pair));
    return 0;
  },
});

function rttLine({ rtt_ms, error_ms, basis, observed_ms, observed_at }: PairRttView): string {
  const measured =
    observed_at === null ? "never measured" : `${observed_ms} ms measured ${observed_at}`;
  if (rtt_ms === null) return `no estimate; ${measured}`;
  return `${rtt_ms.toFixed(1)} ms ± ${(error_ms ?? 0).toFixed(1)} ms (${basis}); ${measured}`;
}
