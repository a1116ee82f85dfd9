import type { PairRttView } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "rtt PEER OTHER";

/** Prints the estimated round-trip time between two peers. */
export const rtt: Command = {
  usage,
  summary: "estimate the round-trip time between two peers",
  details: TARGET_DETAILS,
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 2, max: 2, usage });
    const [id = "", other = ""] = positionals;
    const mesh = await controllerOf(values);
    const pair = await mesh.peers.rtt(id, other);
    if (values.json === true) printJson(pair);
    else print(rttLine(pair));
    return 0;
  },
};

function rttLine({ rtt_ms, error_ms, basis, observed_ms, observed_at }: PairRttView): string {
  const measured =
    observed_at === null ? "never measured" : `${observed_ms} ms measured ${observed_at}`;
  if (rtt_ms === null) return `no estimate; ${measured}`;
  return `${rtt_ms.toFixed(1)} ms ± ${(error_ms ?? 0).toFixed(1)} ms (${basis}); ${measured}`;
}
