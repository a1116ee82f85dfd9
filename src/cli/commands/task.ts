import { usageLine } from "../command-name.ts";
import { WaitTimeout, type MeshClient, type Task } from "../../client/index.ts";
import { numberOption, type Values } from "../args.ts";
import { command } from "../command.ts";
import { UsageError } from "../failure.ts";
import { taskId } from "../identifiers.ts";
import { readKeyFile } from "../key-file.ts";
import { print, printJson, printJsonLine, printJsonText } from "../output.ts";
import { stopSignal } from "../signals.ts";
import { waitForTask } from "../wait/wait-for-task.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { readRetryOptions } from "../retry-options.ts";
import { timelineLines } from "../trace-output.ts";
import { asWritten, showTask, statusLine } from "../task-output.ts";

const usage = "task ID [--wait SECONDS | --follow | --result | --trace | --cancel | --retry]";

const OPTIONS = {
  ...TARGET_OPTIONS,
  wait: { type: "string" },
  follow: { type: "boolean" },
  result: { type: "boolean" },
  "key-file": { type: "string" },
  trace: { type: "boolean" },
  cancel: { type: "boolean" },
  retry: { type: "boolean" },
  "max-attempts": { type: "string" },
  deadline: { type: "string" },
} as const;

/** Prints, follows, cancels or retries one task. */
export const task = command({
  usage,
  summary: "show a task: its state, its attempts and its result",
  details: [
    ["--wait SECONDS", "first wait up to this time for its end"],
    ["--follow", "print each change until its end; with --json, one JSON object per line"],
    ["--result", "print only the result, as JSON, exactly as the peer wrote it"],
    ["--key-file FILE", "with --result: the key that opens a sealed result"],
    ["--trace", "print its timeline: waits, attempts, upload, callback"],
    ["--cancel", "cancel the task"],
    ["--retry", "put a task that failed, expired or was cancelled back into the queue"],
    ["--max-attempts N", "with --retry: the attempts from now on; default: as many as before"],
    [
      "--deadline SECONDS",
      "with --retry: the time until the task expires; default: as long as before",
    ],
    ...TARGET_DETAILS,
  ],
  examples: [
    "task 00000000-0000-4000-8000-000000000001 --follow",
    "task 00000000-0000-4000-8000-000000000001 --result",
  ],
  options: OPTIONS,
  arguments: ["ID"],
  run: async (values, [word = ""]) => {
    const wait = numberOption("wait", values.wait);
    const { follow, result, trace, cancel, retry } = values;
    if (
      [wait, follow, result, trace, cancel, retry].filter((given) => given !== undefined).length > 1
    )
      throw new UsageError(
        "--wait, --follow, --result, --trace, --cancel and --retry exclude each other",
        usageLine(usage),
      );
    const retryOptions = readRetryOptions(values);
    if (retry !== true && Object.keys(retryOptions).length > 0)
      throw new UsageError("--max-attempts and --deadline belong to --retry", "pass it, too");
    if (result !== true && values["key-file"] !== undefined)
      throw new UsageError(
        "--key-file opens a sealed result",
        "pass --result, too, or leave it out",
      );
    const id = taskId(word, "ID");
    const mesh = await controllerOf(values);
    const json = values.json === true;
    if (follow === true) return followTask(mesh, id, json);
    if (result === true) return printResult(mesh, id, values);
    if (trace === true) {
      const timeline = await mesh.tasks.trace(id);
      if (json) printJson(timeline);
      else timelineLines(timeline).forEach((line) => print(line));
      return 0;
    }
    if (cancel === true) {
      showTask(await mesh.tasks.cancel(id), json);
      return 0;
    }
    if (retry === true) {
      showTask(await mesh.tasks.retry(id, retryOptions), json);
      return 0;
    }
    if (wait === undefined) return showTask(await mesh.tasks.get(id), json);
    return showTask(
      await waitForTask(mesh, id, { timeoutMs: wait * 1_000, json, target: values }).catch(
        unfinishedTask,
      ),
      json,
    );
  },
});

async function followTask(mesh: MeshClient, id: string, json: boolean): Promise<number> {
  let last: Task | undefined;
  for await (const current of mesh.tasks.follow(id, { signal: stopSignal() })) {
    if (json) printJsonLine(asWritten(current));
    else print(statusLine(current));
    last = current;
  }
  if (last === undefined) return 1; // unreachable: follow() yields at least one state
  if (!json) return showTask(last, false);
  return last.state === "succeeded" ? 0 : 1;
}

async function printResult(
  mesh: MeshClient,
  id: string,
  values: Values<typeof OPTIONS>,
): Promise<number> {
  const path = values["key-file"];
  const key = path === undefined ? undefined : (await readKeyFile(path)).keys.privateKey;
  printJsonText(await mesh.tasks.resultText(id, key));
  return 0;
}

/** The task as it was when the wait timed out: the command then prints it unfinished. */
function unfinishedTask(error: unknown): Task {
  if (error instanceof WaitTimeout) return error.task;
  throw error;
}
