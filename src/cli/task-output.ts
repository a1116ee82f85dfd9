import { hasEnded, type CallbackView, type Task } from "../client/index.ts";
import { plain, print, printJson } from "./output.ts";

/** Shows a task; the exit code says whether it ended in success, or has not ended. */
export function showTask(task: Task, json: boolean): number {
  if (json) printJson(task);
  else describe(task);
  return !hasEnded(task) || task.state === "succeeded" ? 0 : 1;
}

function describe(task: Task): void {
  print(`task      ${task.id}`);
  print(`kind      ${task.kind}`);
  print(`state     ${task.state}${task.progress === null ? "" : ` (${percent(task.progress)})`}`);
  for (const { attempt, peer_name, peer_id, score, state, error } of task.attempts) {
    const who = plain(peer_name) || peer_id;
    const why = error === null ? "" : `: ${plain(error)}`;
    print(`try ${String(attempt).padEnd(5)} ${who}, score ${score.toFixed(2)}, ${state}${why}`);
  }
  if (task.error !== null) print(`error     ${plain(task.error)}`);
  if (task.callback !== null) print(`callback  ${callbackLine(task.callback)}`);
  if (task.state === "succeeded") print(`result    ${resultLine(task)}`);
}

/** Where a task is, in one line. */
export function statusLine({ state, progress, message, error, attempts }: Task): string {
  const who = attempts.at(-1);
  return [
    state,
    ...(who === undefined || state === "queued"
      ? []
      : [`at ${plain(who.peer_name) || who.peer_id}`]),
    ...(progress === null ? [] : [percent(progress)]),
    ...(message === null ? [] : [plain(message)]),
    ...(error === null ? [] : [`(${plain(error)})`]),
  ].join("  ");
}

function resultLine({ id, result, result_bytes: bytes, result_sealed: sealed }: Task): string {
  const get = `\`muster task ${id} --result${sealed ? " --key-file FILE" : ""}\` prints it`;
  if (sealed) return `sealed; ${get}`;
  return bytes === null ? JSON.stringify(result) : `${bytes} bytes; ${get}`;
}

function callbackLine({ url, state, attempts }: CallbackView): string {
  const last = attempts.at(-1);
  const why = last?.error === undefined || last.error === null ? "" : `: ${plain(last.error)}`;
  const tries = attempts.length === 0 ? "" : ` after ${attempts.length}`;
  return `${state}${tries}${why} (${plain(url)})`;
}

const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`;
