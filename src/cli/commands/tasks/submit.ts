import { randomUUID } from "node:crypto";
import { action } from "../../actions.ts";
import { numberOption } from "../../args.ts";
import { readTasks } from "../../batch/read-tasks.ts";
import { submitTasks, type LineOutcome } from "../../batch/submit-tasks.ts";
import { waitForTasks } from "../../batch/wait-for-tasks.ts";
import { commandName } from "../../command-name.ts";
import { EXIT } from "../../exit-codes.ts";
import { UsageError } from "../../failure.ts";
import { quoted } from "../../join-command.ts";
import { counted, note, print, printJsonLine } from "../../output.ts";
import { stopSignal } from "../../signals.ts";
import { asWritten, endLine } from "../../task-output.ts";
import { controllerOf } from "../../target.ts";
import { OUTAGE_MS } from "../../wait/outage.ts";
import { sameTarget } from "../../wait/same-target.ts";

/** A task that the mesh has accepted, with its line. */
interface Accepted {
  readonly line: number;
  readonly id: string;
}

/** Submits the tasks of a file. */
export const submit = action({
  usage: "submit FILE | - [--wait [--timeout SECONDS]] [--idempotency-key KEY]",
  summary: "submit the tasks of a file, each line the JSON of one task; - reads stdin",
  details: [
    ["--wait", "wait until the tasks end, and print a line for each as it ends"],
    ["--timeout SECONDS", "with --wait: stop waiting after this time"],
    [
      "--idempotency-key KEY",
      "the same file submitted with this key again makes no second task; default: a new key",
    ],
  ],
  options: {
    wait: { type: "boolean" },
    timeout: { type: "string" },
    "idempotency-key": { type: "string" },
  },
  arguments: ["FILE"],
  run: async (values, [file = ""]) => {
    const { wait = false, json = false } = values;
    const timeout = numberOption("timeout", values.timeout);
    if (timeout !== undefined && !wait)
      throw new UsageError("--timeout says how long to wait", "pass --wait, too, or leave it out");
    const key = values["idempotency-key"] ?? randomUUID();
    const tasks = await readTasks(file);
    const mesh = await controllerOf(values);
    const signal = stopSignal();
    const until = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1_000;
    const accepted: Accepted[] = [];
    let refused = 0;
    let failed = 0;
    try {
      for await (const outcomes of submitTasks(mesh, tasks, key, signal))
        for (const each of outcomes) {
          if ("error" in each.outcome) refused += 1;
          else accepted.push({ line: each.line, id: each.outcome.task.id });
          printOutcome(each, { json, wait });
        }
      if (!wait) {
        if (refused > 0) note(howToGoOn());
        return refused === 0 ? EXIT.ok : EXIT.failed;
      }
      const unfinished = await waitForTasks(
        mesh,
        accepted,
        ({ line }, task) => {
          if (task.state !== "succeeded") failed += 1;
          if (json) printJsonLine({ line, ...asWritten(task) });
          else print(`line ${line}  ${task.id}  ${endLine(task)}`);
          return Promise.resolve();
        },
        { until, outageMs: OUTAGE_MS, signal },
      );
      note(summary({ accepted: accepted.length, refused, failed, unfinished }));
      if (unfinished + refused > 0) note(howToGoOn());
      return refused + failed + unfinished === 0 ? EXIT.ok : EXIT.failed;
    } catch (error) {
      note([
        `${accepted.length} of ${counted(tasks.length, "task")} were submitted, and go on without this command`,
        ...howToGoOn(),
      ]);
      throw error;
    }

    function howToGoOn(): readonly string[] {
      const words = ["tasks submit", quoted(file), `--idempotency-key ${quoted(key)}`];
      const options = [...(wait ? ["--wait"] : []), ...sameTarget(values)];
      return [
        `  go on, without a second task for any line:  ${commandName()} ${[...words, ...options].join(" ")}`,
      ];
    }
  },
});

/** Prints what became of one line of the file when it was submitted. A task that is waited for is printed when it has ended. */
function printOutcome(
  { line, outcome }: LineOutcome,
  { json, wait }: { readonly json: boolean; readonly wait: boolean },
): void {
  if ("error" in outcome) {
    const { code, detail, status } = outcome.error;
    if (json) printJsonLine({ line, error: { code, message: detail, status } });
    else note(`line ${line}: ${code}: ${detail}`);
  } else if (wait) return;
  else if (json) printJsonLine({ line, duplicate: outcome.duplicate, ...outcome.task });
  else print(outcome.task.id);
}

function summary(of: {
  readonly accepted: number;
  readonly refused: number;
  readonly failed: number;
  readonly unfinished: number;
}): string {
  const { accepted, refused, failed, unfinished } = of;
  const parts = [
    `${accepted - failed - unfinished} succeeded`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(unfinished > 0 ? [`${unfinished} have not ended`] : []),
  ];
  return `${counted(accepted + refused, "task")}: ${parts.join(", ")}`;
}
