import type { PairRttView } from "../../client/index.ts";
import { readArgs, type Command } from "../args.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "rtt PEER OTHER";

/** Says what the round trip between two peers is estimated at. */
export const rtt: Command = {
  usage,
  summary: "estimate the round trip between two peers",
  details: TARGET_DETAILS,
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 2, max: 2, usage });
    const [id = "", other = ""] = positionals;
    const mesh = await controllerOf(values);
    const pair = await mesh.rtt(id, other);
    if (values.json === true) printJson(pair);
    else print(told(pair));
    return 0;
  },
};

function told({ rtt_ms, error_ms, basis, observed_ms, observed_at }: PairRttView): string {
  const seen =
    observed_at === null ? "never measured" : `${observed_ms} ms measured ${observed_at}`;
  if (rtt_ms === null) return `nothing to go by; ${seen}`;
  return `${rtt_ms.toFixed(1)} ms, give or take ${(error_ms ?? 0).toFixed(1)} (${basis}); ${seen}`;
}
