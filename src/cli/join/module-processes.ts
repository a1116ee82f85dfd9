import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SpawnThread } from "../../client/index.ts";
import { marked } from "../../client/threads/messages.ts";
import { errorCode } from "../files.ts";
import { note } from "../output.ts";
import { killGroup, registerGroup } from "../process-group.ts";
import { withoutSecrets } from "../secrets.ts";
import { onLines } from "../stream-lines.ts";

const PROCESS = new URL("./module-process.ts", import.meta.url);

/**
 * Threads for `--module`, each in a process of its own. A thread whose heap is full may end its whole process, whatever limits it has:
 * one step of the runtime, such as a Map that grows, passes them before Node can end the thread. Such a process fails its
 * task and nothing else. What the handlers print goes to stderr, because stdout is for the events of the peer. They may print what a
 * payload contains, so each line is marked as theirs.
 */
export const moduleProcesses =
  (memoryMb: number): SpawnThread =>
  (listener) => {
    const child = spawn(
      process.execPath,
      ["--no-warnings", fileURLToPath(PROCESS), String(memoryMb)],
      {
        // A group of its own: Ctrl-C reaches the peer only, which lets its tasks end.
        detached: true,
        windowsHide: true,
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        env: withoutSecrets(process.env),
      },
    );
    registerGroup(child);
    for (const stream of [child.stdout, child.stderr])
      onLines(stream, (text) => note(`[module] ${text}`));
    let crash: string | null = null;
    child.on("message", (data) => {
      const reason = crashReason(data);
      if (reason === null) listener.message(data);
      else crash ??= reason;
    });
    child.on("error", (error) => listener.ended(`could not be started (${errorCode(error)})`));
    child.on("exit", (code, signal) => {
      void killGroup(child); // also what the handlers have started
      listener.ended(crash ?? endText(code, signal));
    });
    return Promise.resolve({
      // An error is one of sending to a process that has ended, which `exit` tells.
      post: (message) => void child.send(marked(message) as object, () => {}),
      terminate: () => endProcess(child),
    });
  };

/** What `module-process.ts` says of its thread. */
export interface ThreadEnded {
  readonly threadEnded: string;
}

function crashReason(data: unknown): string | null {
  const { threadEnded } = Object(data) as Partial<ThreadEnded>;
  return typeof threadEnded === "string" ? threadEnded : null;
}

/** Node ends a process by SIGABRT (on Windows with a code above 128) when its heap is full. */
const endText = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === "SIGABRT" || code === 134
    ? "ran out of memory"
    : signal === null
      ? `exited with code ${code}`
      : `was ended by ${signal}`;

function endProcess(child: ChildProcess): void {
  void killGroup(child);
}
