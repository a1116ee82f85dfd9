import type { WhyView } from "../../protocol/http.ts";
import { numberOption, readArgs, type Command } from "../args.ts";
import { plain, print, printJson, table } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "why TASK [--attempt N]";

/** Tells why a task went to its peer. */
export const why: Command = {
  usage,
  summary: "tell why a task went to its peer, or why it waits",
  details: [
    ["--attempt N", "the choice of that attempt; the newest unless given"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = { ...TARGET_OPTIONS, attempt: { type: "string" } } as const;
    const { values, positionals } = readArgs(argv, options, { min: 1, max: 1, usage });
    const mesh = await controllerOf(values);
    const shown = await mesh.explain.why(
      String(positionals[0]),
      numberOption("attempt", values.attempt),
    );
    if (values.json === true) printJson(shown);
    else show(shown);
    return 0;
  },
};

type Why = WhyView;

function show(shown: Why): void {
  print(`${headline(shown)} (${shown.policy}; ${shown.eligible} could have had it)`);
  if (shown.contenders.length > 0) print(table(HEADINGS, shown.contenders.map(row)));
  for (const [rule, count] of Object.entries(shown.ruled_out))
    print(`ruled out: ${plain(rule)} ${count}`);
  if (!shown.reproduced) print("made again from what was stored, the choice is another one");
}

function headline({ chosen, by, attempt }: Why): string {
  if (attempt === null)
    return chosen === null ? "waits: nobody may have it now" : "waits for its turn";
  return `attempt ${attempt} went to ${chosen ?? "nobody"}, by ${by ?? "nothing"}`;
}

const seconds = (ms: number | undefined): string =>
  ms === undefined ? "-" : (ms / 1_000).toFixed(2);

const HEADINGS = [
  "",
  "peer",
  "worth",
  "cost s",
  "rtt",
  "wait",
  "service",
  "failure",
  "loss",
  "behind",
];

const row = ({ peer_id, chosen, worth, cost, held_back_by }: Why["contenders"][number]) => {
  return [
    chosen ? "*" : "",
    peer_id,
    worth.toFixed(2),
    seconds(cost?.total_ms),
    seconds(cost?.rtt_ms),
    seconds(cost?.wait_ms),
    seconds(cost?.service_ms),
    seconds(cost?.failure_ms),
    seconds(cost?.loss_ms),
    held_back_by.join(", "),
  ];
};
