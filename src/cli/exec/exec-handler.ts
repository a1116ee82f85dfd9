import type { ChildProcess } from "node:child_process";
import { isJson } from "../../base/json-text/scan-json.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import {
  JsonText,
  TaskError,
  type Handler,
  type Json,
  type TaskContext,
} from "../../client/index.ts";
import { TASK_LARGE_RESULT_BYTES_MAX } from "../../protocol/constants.ts";
import { killGroup, stopGroup } from "../process-group.ts";
import { withoutSecrets } from "../secrets.ts";
import { LastBytes } from "./last-bytes.ts";
import { endOf, failureText, startProgram, type ProgramEnd } from "./program.ts";
import { StderrFilter, type StderrListener } from "./stderr-filter.ts";

/** The error text of a failed attempt ends with this much of stderr. */
const STDERR_TAIL_BYTES = 1_000;
/** How long a program may take to end after SIGTERM; then it is killed. */
export const KILL_AFTER_MS = 5_000;

export interface ExecOptions {
  /** How long a program may take to end after SIGTERM; default: `KILL_AFTER_MS`. */
  readonly killAfterMs?: number;
  /** Called with the first malformed progress line, and with no further one. */
  readonly onMalformedProgress?: (line: string) => void;
}

/**
 * A handler that runs a program for each task (docs/programs.md). The program reads the payload from stdin, as it was submitted; its
 * stdout is the result, as it is if it is JSON, else as text; lines of stderr report progress. A non-zero exit code fails the attempt; a line of stderr says
 * that another attempt would fail, too.
 * When the attempt is canceled, every process that the program started gets SIGTERM, and later SIGKILL.
 */
export function execHandler(command: string, options: ExecOptions = {}): Handler<Json> {
  const { killAfterMs = KILL_AFTER_MS, onMalformedProgress = () => {} } = options;
  let isMalformedTold = false;
  const malformed = (line: string): void => {
    if (!isMalformedTold) onMalformedProgress(line);
    isMalformedTold = true;
  };
  return async (_payload, task) => {
    const { taskId, kind, payloadText, attempt, fence, signal, progress } = task;
    signal.throwIfAborted();
    const child = await startProgram(command, {
      ...withoutSecrets(process.env),
      ...traceVariables(task),
      MUSTER_TASK_ID: taskId,
      MUSTER_TASK_KIND: kind,
      MUSTER_TASK_ATTEMPT: String(attempt),
      MUSTER_TASK_FENCE: String(fence),
    });
    let stopping: Promise<void> | null = null;
    const stop = (): void => void (stopping ??= stopGroup(child, killAfterMs));
    const program = { child, stop, isStopping: () => stopping !== null };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop(); // while the program was started
    try {
      return await resultOf(program, payloadText, {
        malformed,
        progress: ({ fraction, message }) => progress(fraction, message),
      });
    } finally {
      signal.removeEventListener("abort", stop);
      await (stopping ?? killGroup(child));
    }
  };
}

/**
 * The trace of a task in the environment, as OpenTelemetry names it, and under a name of Muster's. One that the peer itself was started
 * in is not the task's.
 */
const traceVariables = ({ traceparent, tracestate }: TaskContext): NodeJS.ProcessEnv => ({
  MUSTER_TRACEPARENT: traceparent,
  TRACEPARENT: traceparent,
  TRACESTATE: tracestate,
});

interface RunningProgram {
  readonly child: ChildProcess;
  readonly stop: () => void;
  readonly isStopping: () => boolean;
}

async function resultOf(
  { child, stop, isStopping }: RunningProgram,
  payloadText: string,
  listener: Omit<StderrListener, "noRetry">,
): Promise<JsonText | string> {
  const stdout = new LastBytes(TASK_LARGE_RESULT_BYTES_MAX);
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    if (stdout.hasOverflowed) stop();
  });
  const stderr = new LastBytes(STDERR_TAIL_BYTES);
  let final: { readonly message: string | undefined } | null = null;
  const filter = new StderrFilter({
    ...listener,
    noRetry: (message) => (final = { message }),
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    for (const part of filter.push(chunk)) stderr.push(part);
  });
  child.stdin?.end(payloadText);
  const end = await endOf(child, isStopping);
  stderr.push(filter.end());
  if (stdout.hasOverflowed)
    throw new TaskError(`the program wrote more than ${TASK_LARGE_RESULT_BYTES_MAX} bytes`, {
      retry: false,
    });
  failIfFailed(end, stderr.bytes(), final);
  return parseOutput(stdout.bytes());
}

/** Throws if the program failed. It decides itself whether the mesh tries again; what it says of that has no meaning if it succeeded. */
function failIfFailed(
  end: ProgramEnd,
  stderr: Buffer,
  final: { readonly message: string | undefined } | null,
): void {
  const said = final?.message;
  const failure = failureText(end, said === undefined ? stderr : Buffer.from(said));
  if (failure !== null) throw new TaskError(failure, { retry: final === null });
}

function parseOutput(bytes: Buffer): JsonText | string {
  const text = fromUtf8(bytes);
  if (text === null) throw new TaskError("the program's output is not UTF-8", { retry: false });
  // What is not JSON is the result as text.
  return isJson(text) ? new JsonText(text.trim()) : text;
}
