import { spawn, type ChildProcess } from "node:child_process";
import { fromUtf8 } from "../base/bytes.ts";
import { TaskError, type Handler, type Json } from "../client/index.ts";
import { TASK_LARGE_RESULT_BYTES_MAX } from "../protocol/constants.ts";
import { endGroup, killGroup, signalGroup, takeCharge } from "./process-group.ts";

/** Bytes of stderr that a failure tells of. */
const STDERR_TAIL = 1_000;
/** How long a program's pipes may stay open once it has ended: a daemon it started can't be reached. */
const PIPES_MS = 2_000;

/**
 * A handler that runs a program for each task: the payload as JSON on its stdin, its stdout the result (JSON if it is,
 * else text). Failing means a non-zero exit. The shell runs `command`, in a process group of its own, so that a
 * cancelled task ends with everything that the program has started.
 */
export const execHandler =
  (command: string): Handler =>
  async (payload, { taskId, kind, attempt, signal }) => {
    signal.throwIfAborted();
    const child = spawn(command, {
      shell: true,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...withoutToken(process.env),
        MUSTER_TASK_ID: taskId,
        MUSTER_TASK_KIND: kind,
        MUSTER_TASK_ATTEMPT: String(attempt),
      },
    });
    takeCharge(child);
    const kill = () => void endGroup(child, () => child.kill("SIGTERM"));
    signal.addEventListener("abort", kill);
    try {
      return await resultOf(child, payload, kill);
    } finally {
      signal.removeEventListener("abort", kill);
      await killGroup(child);
    }
  };

/** The mesh's token is the operator's; a program that does tasks has no use for it. */
function withoutToken({ MUSTER_TOKEN: _token, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

async function resultOf(child: ChildProcess, payload: Json, kill: () => void): Promise<Json> {
  const out = collect(child.stdout, TASK_LARGE_RESULT_BYTES_MAX, kill);
  const err = collect(child.stderr, STDERR_TAIL);
  // A program that does not read its payload closes the pipe early; how it ends is what counts.
  child.stdin?.on("error", () => {});
  child.stdin?.end(JSON.stringify(payload));
  const ending = await endingOf(child);
  if (out.overflown) {
    throw new TaskError(`the program wrote more than ${TASK_LARGE_RESULT_BYTES_MAX} bytes`, {
      retry: false,
    });
  }
  if (ending !== null) throw new Error(failureText(ending, err.bytes()));
  return parsed(out.bytes());
}

/** Null for a good end, else how it ended. */
function endingOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const ending =
        code === 0 ? null : signal === null ? `exit code ${code}` : `killed by ${signal}`;
      // What the program left in the background goes too: it would hold the pipes open.
      if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
      const late = setTimeout(() => resolve(ending), PIPES_MS);
      child.once("close", () => {
        clearTimeout(late);
        resolve(ending);
      });
    });
  });
}

function parsed(bytes: Buffer): Json {
  const text = fromUtf8(bytes);
  if (text === null) throw new TaskError("the program's output is not UTF-8", { retry: false });
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text; // not JSON: the text is the result
  }
}

const failureText = (ending: string, stderr: Buffer): string => {
  const said = stderr.toString("utf8").trim();
  return said === "" ? ending : `${ending}: ${said}`;
};

interface Collected {
  /** True once there was more than `max`; `bytes` then holds the last of it. */
  readonly overflown: boolean;
  bytes(): Buffer;
}

function collect(
  stream: ChildProcess["stdout"],
  max: number,
  onOverflow: () => void = () => {},
): Collected {
  let chunks: Buffer[] = [];
  let kept = 0;
  let overflown = false;
  stream?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    kept += chunk.length;
    if (kept <= max) return;
    chunks = [Buffer.concat(chunks).subarray(kept - max)];
    kept = max;
    if (!overflown) onOverflow();
    overflown = true;
  });
  return {
    get overflown() {
      return overflown;
    },
    bytes: () => Buffer.concat(chunks),
  };
}
