import { createReadStream } from "node:fs";
import { fromUtf8 } from "../../base/bytes.ts";
import { jsonFlaw } from "../../base/json-text/flaw.ts";
import { ExactMembers, readJson } from "../../base/json-text/read-json.ts";
import { isJson } from "../../base/json-text/scan-json.ts";
import { SubmitTask, type SubmitTaskInput } from "../../protocol/http.ts";
import { issuesOf } from "../../protocol/schema/issues.ts";
import { VALUE_DEPTH_MAX } from "../../protocol/task-limits.ts";
import { readBounded } from "../bounded-input.ts";
import { UsageError } from "../failure.ts";
import { unreadableInput } from "../files.ts";
import { readStandardInputBytes } from "../standard-input.ts";

/** What one call submits: the rest belongs into another one. */
export const TASKS_MAX = 10_000;
const FILE_MIB_MAX = 64;
const LINE_SHOWN =
  'each line is the JSON of one task, such as {"kind": "resize", "payload": {"width": 320}}';

/** A task of the file, with the number of its line and what it has in a request. */
export interface BatchLine {
  readonly line: number;
  readonly task: SubmitTaskInput;
  readonly bytes: number;
}

const EXACT = new ExactMembers(["payload"]);

/** The tasks of a file of JSON lines, or of stdin (`-`). What the mesh would refuse in one is refused here, with the number of its line. Empty lines do not count. */
export async function readTasks(file: string): Promise<readonly BatchLine[]> {
  const name = file === "-" ? "stdin" : file;
  const text = await textOf(file, name);
  const tasks: BatchLine[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    if (tasks.length === TASKS_MAX)
      throw new UsageError(`${name} has more than ${TASKS_MAX} tasks`, "submit it in parts");
    tasks.push(taskOf(line, index + 1, name));
  }
  if (tasks.length === 0) throw new UsageError(`${name} has no task`, LINE_SHOWN);
  return tasks;
}

async function textOf(file: string, name: string): Promise<string> {
  const read =
    file === "-"
      ? readStandardInputBytes("FILE", FILE_MIB_MAX)
      : readBounded(createReadStream(file), name, FILE_MIB_MAX);
  const bytes = await read.catch((error: unknown) => {
    throw unreadableInput(name, error, "it is the file of tasks");
  });
  const text = fromUtf8(bytes);
  if (text === null) throw new UsageError(`${name} is not UTF-8`, LINE_SHOWN);
  return text;
}

function taskOf(text: string, line: number, name: string): BatchLine {
  const where = `line ${line} of ${name}`;
  if (!isJson(text)) throw new UsageError(`${where} is not JSON`, LINE_SHOWN);
  const flaw = jsonFlaw(text, where, VALUE_DEPTH_MAX + 1);
  if (flaw !== null) throw new UsageError(`${flaw.path}: ${flaw.message}`, "change that line");
  const read = readJson(text, EXACT, { maxDepth: VALUE_DEPTH_MAX + 1 });
  if (!read.ok) throw new UsageError(`${where} is not JSON`, LINE_SHOWN);
  const task = SubmitTask.safeParse(read.value);
  if (!task.success) {
    const [issue] = issuesOf(task.error, SubmitTask);
    const path = issue === undefined || issue.path === "" ? "" : `${issue.path}: `;
    throw new UsageError(
      `${where} is not a task: ${path}${issue?.message ?? "it is not valid"}`,
      "its fields are those of TaskRequest in /openapi.json",
    );
  }
  return { line, task: read.value as SubmitTaskInput, bytes: Buffer.byteLength(text) };
}
