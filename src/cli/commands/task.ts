import { WaitTimeout, type Controller, type Task } from "../../client/index.ts";
import { numberOption, readArgs, type Command, type Values } from "../args.ts";
import { UsageError } from "../failure.ts";
import { readKeyFile } from "../key-file.ts";
import { print } from "../output.ts";
import { stopSignal } from "../signals.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { showTask, statusLine } from "../task-output.ts";

const usage = "task ID [--wait SECONDS | --follow | --result | --cancel]";

const OPTIONS = {
  ...TARGET_OPTIONS,
  wait: { type: "string" },
  follow: { type: "boolean" },
  result: { type: "boolean" },
  "key-file": { type: "string" },
  cancel: { type: "boolean" },
} as const;

/** Shows one task. */
export const task: Command = {
  usage,
  summary: "show a task: its state, its attempts and its result",
  details: [
    ["--wait SECONDS", "first wait that long for its end"],
    ["--follow", "tell its progress until its end; with --json, one JSON a line"],
    ["--result", "print the result alone, as JSON, however large"],
    ["--key-file FILE", "opens a result that was sealed to this key"],
    ["--cancel", "cancel it"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, OPTIONS, { min: 1, max: 1, usage });
    const id = String(positionals[0]);
    const wait = numberOption("wait", values.wait);
    const { follow, result, cancel } = values;
    if ([wait, follow, result, cancel].filter((given) => given !== undefined).length > 1)
      throw new UsageError("only one of these at once", `usage: muster ${usage}`);
    const mesh = await controllerOf(values);
    const json = values.json === true;
    if (follow === true) return followTask(mesh, id, json);
    if (result === true) return printResult(mesh, id, values);
    if (cancel === true) {
      showTask(await mesh.cancel(id), json);
      return 0;
    }
    if (wait === undefined) return showTask(await mesh.task(id), json);
    return showTask(await mesh.wait(id, { timeoutMs: wait * 1_000 }).catch(lastSeen), json);
  },
};

async function followTask(mesh: Controller, id: string, json: boolean): Promise<number> {
  let last: Task | undefined;
  for await (const seen of mesh.follow(id, { signal: stopSignal() })) {
    print(json ? JSON.stringify(seen) : statusLine(seen));
    last = seen;
  }
  if (last === undefined) return 1; // never: what is followed is seen once at least
  if (!json) return showTask(last, false);
  return last.state === "succeeded" ? 0 : 1;
}

async function printResult(
  mesh: Controller,
  id: string,
  values: Values<typeof OPTIONS>,
): Promise<number> {
  const path = values["key-file"];
  const key = path === undefined ? undefined : (await readKeyFile(path)).keys.privateKey;
  print(JSON.stringify(await mesh.result(id, key)));
  return 0;
}

/** Still running is an answer, too. */
function lastSeen(error: unknown): Task {
  if (error instanceof WaitTimeout) return error.task;
  throw error;
}
