import { spawn, type ChildProcess } from "node:child_process";
import { isJson } from "../base/json-text/scan-json.ts";
import { fromUtf8 } from "../base/bytes.ts";
import { JsonText, TaskError, type Handler, type Json } from "../client/index.ts";
import { TASK_LARGE_RESULT_BYTES_MAX } from "../protocol/constants.ts";
import { endGroup, killGroup, signalGroup, registerGroup } from "./process-group.ts";
import { withoutSecrets } from "./secrets.ts";

/** The error text of a failed attempt ends with this much of stderr. */
const STDERR_TAIL_BYTES = 1_000;
/** How long the pipes may stay open after the program has ended: a daemon in its own process group may hold them. */
const PIPES_TIMEOUT_MS = 2_000;

/**
 * A handler that runs a program for each task. The program reads the payload from stdin, as it was submitted; its stdout is the
 * result, as it is if it is JSON, else as text. A non-zero exit code fails the attempt. The shell runs `command` in a
 * process group of its own, so that canceling a task ends every process that the program started.
 */
export const execHandler =
  (command: string): Handler<Json> =>
  async (_payload, { taskId, kind, payloadText, attempt, signal }) => {
    signal.throwIfAborted();
    const child = spawn(command, {
      shell: true,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...withoutSecrets(process.env),
        MUSTER_TASK_ID: taskId,
        MUSTER_TASK_KIND: kind,
        MUSTER_TASK_ATTEMPT: String(attempt),
      },
    });
    registerGroup(child);
    const kill = () => void endGroup(child, () => child.kill("SIGTERM"));
    signal.addEventListener("abort", kill);
    try {
      return await resultOf(child, payloadText, kill);
    } finally {
      signal.removeEventListener("abort", kill);
      await killGroup(child);
    }
  };

async function resultOf(
  child: ChildProcess,
  payloadText: string,
  kill: () => void,
): Promise<JsonText | string> {
  const out = collect(child.stdout, TASK_LARGE_RESULT_BYTES_MAX, kill);
  const err = collect(child.stderr, STDERR_TAIL_BYTES);
  // A program that does not read its payload closes the pipe early; only its exit code matters.
  child.stdin?.on("error", () => {});
  child.stdin?.end(payloadText);
  const failure = await exitOf(child);
  if (out.hasOverflowed) {
    throw new TaskError(`the program wrote more than ${TASK_LARGE_RESULT_BYTES_MAX} bytes`, {
      retry: false,
    });
  }
  if (failure !== null) throw new Error(failureText(failure, err.bytes()));
  return parseOutput(out.bytes());
}

/** Resolves with null for exit code 0, else with the exit code or signal as text. */
function exitOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const failure =
        code === 0 ? null : signal === null ? `exit code ${code}` : `killed by ${signal}`;
      // End the processes that the program left in the background: they would hold the pipes open.
      if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
      const timer = setTimeout(() => resolve(failure), PIPES_TIMEOUT_MS);
      child.once("close", () => {
        clearTimeout(timer);
        resolve(failure);
      });
    });
  });
}

function parseOutput(bytes: Buffer): JsonText | string {
  const text = fromUtf8(bytes);
  if (text === null) throw new TaskError("the program's output is not UTF-8", { retry: false });
  // What is not JSON is the result as text.
  return isJson(text) ? new JsonText(text.trim()) : text;
}

const failureText = (failure: string, stderr: Buffer): string => {
  const text = stderr.toString("utf8").trim();
  return text === "" ? failure : `${failure}: ${text}`;
};

interface Collected {
  /** Whether the stream had more than `max` bytes; `bytes` then returns the last `max` of them. */
  readonly hasOverflowed: boolean;
  bytes(): Buffer;
}

function collect(
  stream: ChildProcess["stdout"],
  max: number,
  onOverflow: () => void = () => {},
): Collected {
  let chunks: Buffer[] = [];
  let size = 0;
  let hasOverflowed = false;
  stream?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= max) return;
    chunks = [Buffer.concat(chunks).subarray(size - max)];
    size = max;
    if (!hasOverflowed) onOverflow();
    hasOverflowed = true;
  });
  return {
    get hasOverflowed() {
      return hasOverflowed;
    },
    bytes: () => Buffer.concat(chunks),
  };
}
