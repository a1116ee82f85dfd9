import type { Task } from "../../client/index.ts";
import { clipped, print, styled, table } from "../output.ts";
import type { DemoFile } from "./files.ts";
import { Digest, type Job } from "./messages.ts";

export interface Row {
  readonly file: DemoFile;
  readonly via: Job["via"];
  /** Null when it had not ended in time. */
  readonly task: Task | null;
}

type Verdict = "right" | "wrong" | "failed" | "unfinished";

/** Compares a task's result with the demo's own computation. */
export function verdictOf({ file, task }: Row): Verdict {
  if (task === null) return "unfinished";
  if (task.state !== "succeeded") return "failed";
  const { sha256, lines } = Digest.safeParse(task.result).data ?? {};
  return sha256 === file.expected.sha256 && lines === file.expected.lines ? "right" : "wrong";
}

const HEADINGS = ["task", "via", "peer", "score", "attempts", "ms", "sha-256", "lines", ""];
const NAME_CHARS = 48;
const HASH_CHARS = 16;

/** Prints the table and what it adds up to; true when every result is right. */
export function printReport(rows: readonly Row[], seconds: number): boolean {
  print(table(HEADINGS, rows.map(cells)));
  print();
  const right = rows.filter((row) => verdictOf(row) === "right").length;
  const allRight = right === rows.length;
  const all = `${right} of ${rows.length} right`;
  print(`${styled(allRight ? "green" : "red", all)} in ${seconds.toFixed(1)} s; ${byPeer(rows)}`);
  return allRight;
}

function cells(row: Row): (string | number)[] {
  const { file, via, task } = row;
  const last = task?.attempts.at(-1);
  const digest = Digest.safeParse(task?.result).data;
  return [
    clipped(file.name, NAME_CHARS),
    via,
    last === undefined ? "-" : last.peer_name || last.peer_id,
    last === undefined ? "-" : last.score.toFixed(3),
    task?.attempts.length ?? 0,
    task === null ? "-" : Math.round(lifetime(task)),
    digest === undefined ? (task?.error ?? "-") : digest.sha256.slice(0, HASH_CHARS),
    digest?.lines ?? "-",
    verdictOf(row),
  ];
}

const lifetime = ({ created_at, ended_at }: Task): number =>
  ended_at === null ? Number.NaN : Date.parse(ended_at) - Date.parse(created_at);

/** Who did how many, and how many attempts went wrong on the way. */
function byPeer(rows: readonly Row[]): string {
  const attempts = rows.flatMap(({ task }) => task?.attempts ?? []);
  const done = Map.groupBy(
    attempts.filter(({ state }) => state === "succeeded"),
    ({ peer_name }) => peer_name,
  );
  const shares = [...done].map(([name, won]) => `${name} did ${won.length}`);
  const failed = attempts.filter(({ state }) => state !== "succeeded").length;
  return [...shares, `${failed} attempts went wrong and were tried again`].join(", ");
}
