import { hasEnded, JsonText, type CallbackView, type Task } from "../client/index.ts";
import { print, printJson } from "./output.ts";
import { quotedCommand } from "./command-name.ts";

/** Prints a task; returns the exit code: 1 for a task that ended without success, else 0. */
export function showTask(task: Task, json: boolean): number {
  if (json) printJson(asWritten(task));
  else printTask(task);
  return !hasEnded(task) || task.state === "succeeded" ? 0 : 1;
}

/** A task as the HTTP API shows it: its payload and its result as they were written. */
export const asWritten = ({ payload_text, result_text, ...task }: Task): object => ({
  ...task,
  payload: new JsonText(payload_text),
  result: new JsonText(result_text),
});

function printTask(task: Task): void {
  print(`task      ${task.id}`);
  print(`kind      ${task.kind}`);
  if (task.owner !== null) print(`owner     ${task.owner}`);
  print(`state     ${task.state}${task.progress === null ? "" : ` (${percent(task.progress)})`}`);
  if (task.retries > 0) print(`retries   ${task.retries}`);
  for (const { attempt, peer_name, peer_id, score, state, error } of task.attempts) {
    const peer = peer_name || peer_id;
    const reason = error === null ? "" : `: ${error}`;
    const label = `attempt ${attempt}`.padEnd(9);
    print(`${label} ${peer}, score ${score.toFixed(2)}, ${state}${reason}`);
  }
  if (task.error !== null) print(`error     ${task.error}`);
  if (task.callback !== null) print(`callback  ${callbackLine(task.callback)}`);
  if (task.state === "succeeded") print(`result    ${resultLine(task)}`);
}

/** State, peer and progress of a task, in one line. */
export function statusLine({ state, progress, message, error, attempts }: Task): string {
  const last = attempts.at(-1);
  return [
    state,
    ...(last === undefined || state === "queued" ? [] : [`at ${last.peer_name || last.peer_id}`]),
    ...(progress === null ? [] : [percent(progress)]),
    ...(message === null ? [] : [message]),
    ...(error === null ? [] : [`(${error})`]),
  ].join("  ");
}

/** The end of a task in one line: its state, and its result or why it has none. */
export const endLine = (task: Task): string =>
  task.state === "succeeded"
    ? `${task.state}  ${resultLine(task)}`
    : `${task.state}${task.error === null ? "" : `  ${task.error}`}`;

function resultLine({
  id,
  result_text: text,
  result_bytes: bytes,
  result_sealed: sealed,
}: Task): string {
  const get = `${quotedCommand(`task ${id} --result${sealed ? " --key-file FILE" : ""}`)} prints it`;
  if (sealed) return `sealed; ${get}`;
  return bytes === null ? text : `${bytes} bytes; ${get}`;
}

function callbackLine({ url, state, attempts }: CallbackView): string {
  const last = attempts.at(-1);
  const reason = last?.error === undefined || last.error === null ? "" : `: ${last.error}`;
  const count = attempts.length === 0 ? "" : ` after ${attempts.length}`;
  return `${state}${count}${reason} (${url})`;
}

export const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`;
