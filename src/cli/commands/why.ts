import type { WhyView } from "../../protocol/http.ts";
import { positiveOption } from "../args.ts";
import { command } from "../command.ts";
import { taskId } from "../identifiers.ts";
import { cellNames } from "../missing-cells.ts";
import { counted, print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "why TASK [--attempt N]";

const OPTIONS = { ...TARGET_OPTIONS, attempt: { type: "string" } } as const;

/** Explains how the peer of a task was chosen. */
export const why = command({
  usage,
  summary: "explain why a task was assigned to its peer, or why it is queued",
  details: [["--attempt N", "the choice of this attempt; default: the newest"], ...TARGET_DETAILS],
  examples: ["why 00000000-0000-4000-8000-000000000001"],
  options: OPTIONS,
  arguments: ["TASK"],
  run: async (values, [word = ""]) => {
    const id = taskId(word, "TASK");
    const attempt = positiveOption("attempt", values.attempt);
    const mesh = await controllerOf(values);
    const shown = await mesh.tasks.why(id, attempt);
    if (values.json === true) printJson(shown);
    else printChoice(shown);
    return 0;
  },
});

type Why = WhyView;

function printChoice(shown: Why): void {
  print(`${headline(shown)} (${shown.policy}; ${counted(shown.eligible, "eligible peer")})`);
  if (shown.contenders.length > 0) print(table(HEADINGS, shown.contenders.map(row)));
  for (const [rule, count] of Object.entries(shown.ruled_out)) print(`ruled out: ${rule} ${count}`);
  if (shown.cells !== undefined) print(cellsText(shown.cells));
  if (!shown.reproduced)
    print("warning: recomputed from the stored facts, the choice is a different one");
}

/** Only the peers of one cell are compared, so the others of the mesh are not in the table. */
function cellsText({ cell, considered }: NonNullable<Why["cells"]>): string {
  const compared = considered.filter((each) => each !== cell);
  const others = compared.length === 0 ? "no other cell" : cellNames(compared);
  return `in cell ${cell}, whose peers are compared; considered besides: ${others}`;
}

function headline({ chosen, by, attempt, waits_because: reason }: Why): string {
  if (attempt === null) return `queued: ${reason ?? "other tasks come first"}`;
  return `attempt ${attempt} was assigned to ${chosen ?? "no peer"}, by ${by ?? "no rule"}`;
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
  "held",
  "held back by",
];

const row = (contender: Why["contenders"][number]) => {
  const { peer_id, chosen, worth, cost, held, slots, held_back_by } = contender;
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
    `${held}/${slots}`,
    held_back_by.join(", "),
  ];
};
