import { spawn, type ChildProcess } from "node:child_process";
import { errorCode } from "../files.ts";
import { signalGroup, registerGroup } from "../process-group.ts";

/** How long the pipes may stay open after the program has ended: a daemon in its own process group may hold them. */
const PIPES_TIMEOUT_MS = 2_000;

/**
 * Starts a command by the shell, in a process group of its own, so that all that it starts can be ended. Rejects if the system can't
 * start it; a program that the shell does not find ends with an exit code instead.
 */
export async function startProgram(command: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  try {
    const child = spawn(command, {
      shell: true,
      detached: true,
      windowsHide: true,
      stdio: ["pipe", "pipe", "pipe"],
      env,
    });
    // A program that does not read its payload closes the pipe early; only its exit code matters.
    child.stdin.on("error", () => {});
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    registerGroup(child);
    return child;
  } catch (error) {
    throw new Error(`the system cannot start the program (${errorCode(error)})`, { cause: error });
  }
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Resolves when the program has ended and its output was read. What it left in its process group is ended at once, unless the group
 * is being stopped already: then its processes have their time.
 */
export const endOf = (child: ChildProcess, isStopping: () => boolean): Promise<ProgramEnd> =>
  new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      // Processes in the background would hold the pipes open.
      if (child.pid !== undefined && !isStopping()) signalGroup(child.pid, "SIGKILL");
      const timer = setTimeout(() => resolve({ code, signal }), PIPES_TIMEOUT_MS);
      child.once("close", () => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
  });

/** What a shell means by its own exit codes. */
const SHELL_CODES: Readonly<Record<number, string>> = {
  126: " (the shell cannot run the program)",
  127: " (the shell does not find the program)",
};

/** Why a program failed, with the end of what it wrote to stderr; null if it did not. */
export function failureText({ code, signal }: ProgramEnd, stderr: Buffer): string | null {
  if (code === 0) return null;
  const failure =
    signal === null ? `exit code ${code}${SHELL_CODES[code ?? 0] ?? ""}` : `killed by ${signal}`;
  const text = stderr.toString("utf8").trim();
  return text === "" ? failure : `${failure}: ${text}`;
}
