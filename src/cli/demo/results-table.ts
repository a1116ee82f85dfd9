import type { Task } from "../../client/index.ts";
import { line, print, printJson, styled } from "../output.ts";
import { table } from "../table.ts";
import { truncate } from "../display-width.ts";
import type { DemoFile } from "./files.ts";
import { Digest, type Job } from "./messages.ts";

export interface Row {
  readonly file: DemoFile;
  readonly via: Job["via"];
  /** Null when the task did not end in time. */
  readonly task: Task | null;
}

type Verdict = "correct" | "wrong" | "failed" | "unfinished";

/** Compares the result of a task with the demo's own computation. */
function verdictOf({ file, task }: Row): Verdict {
  if (task === null) return "unfinished";
  if (task.state !== "succeeded") return "failed";
  const { sha256, lines } = Digest.safeParse(task.result).data ?? {};
  return sha256 === file.expected.sha256 && lines === file.expected.lines ? "correct" : "wrong";
}

const HEADINGS = ["task", "via", "peer", "score", "attempts", "ms", "sha-256", "lines", ""];
const NAME_CHARS = 48;
const HASH_CHARS = 16;

/** Prints the table and its summary; true when every result is correct. */
export function printResults(rows: readonly Row[], seconds: number): boolean {
  print(table(HEADINGS, rows.map(cells)));
  print();
  const correct = rows.filter((row) => verdictOf(row) === "correct").length;
  const allCorrect = correct === rows.length;
  const summary = `${correct} of ${rows.length} correct`;
  const outcome = styled(allCorrect ? "green" : "red", summary);
  print(line(outcome, ` in ${seconds.toFixed(1)} s; ${tasksByPeer(rows)}`));
  return allCorrect;
}

/** Prints the same as JSON; true when every result is correct. */
export function printResultsJson(rows: readonly Row[], seconds: number): boolean {
  const verdicts = rows.map(verdictOf);
  const allCorrect = verdicts.every((verdict) => verdict === "correct");
  printJson({
    correct: allCorrect,
    seconds,
    tasks: rows.map(({ file, via, task }, index) => ({
      file: file.name,
      via,
      verdict: verdicts[index],
      task_id: task?.id ?? null,
      peer_name: task?.attempts.at(-1)?.peer_name ?? null,
      attempts: task?.attempts.length ?? 0,
      result: task?.result ?? null,
    })),
  });
  return allCorrect;
}

function cells(row: Row): (string | number)[] {
  const { file, via, task } = row;
  const last = task?.attempts.at(-1);
  const digest = Digest.safeParse(task?.result).data;
  return [
    truncate(file.name, NAME_CHARS),
    via,
    last === undefined ? "-" : last.peer_name || last.peer_id,
    last === undefined ? "-" : last.score.toFixed(3),
    task?.attempts.length ?? 0,
    task === null ? "-" : Math.round(durationMs(task)),
    digest === undefined ? (task?.error ?? "-") : digest.sha256.slice(0, HASH_CHARS),
    digest?.lines ?? "-",
    verdictOf(row),
  ];
}

const durationMs = ({ created_at, ended_at }: Task): number =>
  ended_at === null ? Number.NaN : Date.parse(ended_at) - Date.parse(created_at);

/** How many tasks each peer did, and how many attempts failed. */
function tasksByPeer(rows: readonly Row[]): string {
  const attempts = rows.flatMap(({ task }) => task?.attempts ?? []);
  const succeeded = Map.groupBy(
    attempts.filter(({ state }) => state === "succeeded"),
    ({ peer_name }) => peer_name,
  );
  const counts = [...succeeded].map(([name, won]) => `${name} did ${won.length}`);
  const failed = attempts.filter(({ state }) => state !== "succeeded").length;
  return [...counts, `${failed} attempts failed and were retried`].join(", ");
}
