import {
  hasEnded,
  TaskFailed,
  WaitTimeout,
  type MeshClient,
  type Task,
} from "../../client/index.ts";
import { commandName } from "../command-name.ts";
import { note } from "../output.ts";
import { stopSignal } from "../signals.ts";
import { OUTAGE_MS } from "./outage.ts";
import { sameTarget, type TargetWords } from "./same-target.ts";
import { statusDisplay } from "./status-display.ts";

interface WaitOptions {
  /** Default: until the task ends. */
  readonly timeoutMs?: number;
  /** What the command prints is for a program, so the wait shows nothing. */
  readonly json: boolean;
  /** The options that selected the mesh. */
  readonly target: TargetWords;
  /** Default: `OUTAGE_MS`. */
  readonly outageMs?: number;
}

/**
 * Waits until a task has ended, and shows how it is doing. The task goes on if the wait does not: after a timeout, at SIGINT, and when
 * the mesh is gone for longer than the SDK rides out. Then stderr has the task's ID and the commands that go on.
 */
export async function waitForTask(
  mesh: MeshClient,
  id: string,
  { timeoutMs, json, target, outageMs = OUTAGE_MS }: WaitOptions,
): Promise<Task> {
  const stop = stopSignal();
  const display = statusDisplay(json);
  try {
    const timeout = timeoutMs === undefined ? undefined : { timeoutMs };
    const options = { ...timeout, outageMs, signal: stop };
    return json
      ? await mesh.tasks.wait(id, options)
      : await followed(mesh, id, options, (task) => display.show(task));
  } catch (error) {
    display.end();
    if (!(error instanceof TaskFailed)) note(howToGoOn(id, target));
    throw error;
  } finally {
    display.end();
  }
}

interface FollowOptions {
  readonly timeoutMs?: number;
  readonly outageMs: number;
  readonly signal: AbortSignal;
}

/** The end of a task, with each of its changes. */
async function followed(
  mesh: MeshClient,
  id: string,
  { timeoutMs, outageMs, signal: stop }: FollowOptions,
  show: (task: Task) => void,
): Promise<Task> {
  const timeout = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => timeout.abort(), timeoutMs);
  let last: Task | undefined;
  try {
    const signal = AbortSignal.any([stop, timeout.signal]);
    for await (const task of mesh.tasks.follow(id, { signal, outageMs })) {
      last = task;
      if (hasEnded(task)) return task;
      show(task);
    }
    throw new Error("a task was followed to no end"); // unreachable: follow() ends with the task
  } catch (error) {
    if (!timeout.signal.aborted || stop.aborted) throw error;
    throw new WaitTimeout(last ?? (await mesh.tasks.get(id)));
  } finally {
    clearTimeout(timer);
  }
}

function howToGoOn(id: string, target: TargetWords): readonly string[] {
  const task = `${commandName()} task ${id}`;
  const options = sameTarget(target)
    .map((word) => ` ${word}`)
    .join("");
  return [
    `task ${id} goes on without this command`,
    `  wait for it again:  ${task} --follow${options}`,
    `  cancel it:          ${task} --cancel${options}`,
  ];
}
