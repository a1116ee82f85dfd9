import { command } from "../command.ts";
import { peerId } from "../identifiers.ts";
import { print, printJson } from "../output.ts";
import { table } from "../table.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";

const usage = "score PEER";

const HEADINGS = [
  "factor",
  "measured",
  "normalized",
  "weight",
  "part",
  "age",
  "samples",
  "known",
  "source",
];

/** Prints the score of a peer and the factors behind it. */
export const score = command({
  usage,
  summary: "show the score of a peer and the factors behind it",
  details: TARGET_DETAILS,
  examples: ["score 9f86d081884c7d659a2feaa0c55ad015"],
  options: TARGET_OPTIONS,
  arguments: ["PEER"],
  run: async (values, [word = ""]) => {
    const id = peerId(word, "PEER");
    const mesh = await controllerOf(values);
    const shown = await mesh.peers.score(id);
    if (values.json === true) {
      printJson(shown);
      return 0;
    }
    print(`score ${shown.score.toFixed(3)}, confidence ${shown.confidence.toFixed(2)}`);
    const rows = Object.entries(shown.factors).map(([factor, one]) => [
      factor,
      one.raw === null ? "-" : `${round(one.raw)} ${one.unit}`,
      one.normalised.toFixed(3),
      one.weight.toFixed(2),
      one.part.toFixed(3),
      one.age_seconds === null ? "-" : `${Math.round(one.age_seconds)} s`,
      round(one.samples),
      one.known.toFixed(2),
      one.source,
    ]);
    print(table(HEADINGS, rows));
    print(`risk of failure ${(100 * shown.failure_risk).toFixed(1)} %`);
    const times = shown.service_times.map(({ kind, mean_ms, samples }) => [
      kind,
      round(mean_ms / 1_000),
      samples,
    ]);
    if (times.length > 0) print(table(["kind", "service s", "samples"], times));
    return 0;
  },
});

const round = (value: number): number => Math.round(100 * value) / 100;
