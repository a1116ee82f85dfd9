import { readArgs, type Command } from "../args.ts";
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
export const score: Command = {
  usage,
  summary: "show the score of a peer and the factors behind it",
  details: TARGET_DETAILS,
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 1, max: 1, usage });
    const mesh = await controllerOf(values);
    const shown = await mesh.peers.score(String(positionals[0]));
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
};

const round = (value: number): number => Math.round(100 * value) / 100;
