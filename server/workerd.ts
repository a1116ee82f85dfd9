import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { redact } from "../src/base/redact.ts";
import { PRIVATE_FILE } from "../src/cli/files.ts";
import { Failure } from "../src/cli/failure.ts";
import { endGroup, registerGroup } from "../src/cli/process-group.ts";
import { withoutSecrets } from "../src/cli/secrets.ts";
import type { Logger } from "../src/base/log/logger.ts";
import { onLines } from "../src/cli/stream-lines.ts";
import { environmentName, workerdConfig, type WorkerdConfig } from "./workerd-config.ts";
import { CrashReport } from "./crash-report.ts";
import { readWorkerdLine, type WorkerdLine } from "./log-line.ts";

export interface WorkerdOptions {
  /** The folder with the bundles; the configuration is written there, too. */
  readonly folder: string;
  readonly config: Omit<WorkerdConfig, "variables">;
  /** Variables and secrets of the Worker. */
  readonly variables: Readonly<Record<string, string>>;
  readonly log: Logger;
  /** Whether a text that workerd writes is worth logging. */
  readonly admits: (text: string) => boolean;
}

/** A workerd process, which leads a process group of its own. */
export interface Workerd {
  readonly pid: number | undefined;
  /** Resolves when workerd listens. Rejects if it ends before that. */
  readonly listening: Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Its newest output. */
  readonly lastLines: readonly string[];
  stop(): Promise<void>;
}

/** The file descriptor on which workerd reports that it listens. */
const CONTROL_FD = 3;
/** A pipe to this process, which breaks when this process ends. */
const LIFELINE_FD = 4;
/** How many lines of output the error of a failed start shows. */
const LOG_LINES_MAX = 20;
/** How long the rest of the output of a process that has ended may take. */
const OUTPUT_TIMEOUT_MS = 500;
const SHELL = "/bin/sh";
/** How long workerd may take to end: it waits for open connections. What it has acknowledged is on the disk in any case. */
const GRACE_PERIOD_MS = 500;

/**
 * Waits for the end of the pipe beside workerd, and then kills it: workerd itself would go on when this process is killed. The shell
 * becomes workerd, so that signals and the exit code need no one in between. What workerd writes only its user can read.
 */
const GUARDED = `umask 077; { read -r _ <&${LIFELINE_FD}; kill -9 $$; } >/dev/null 2>&1 ${CONTROL_FD}>&- & exec "$0" "$@" ${LIFELINE_FD}<&-`;

/** Starts workerd. Values of variables are in its environment, which only its user can read, and not in a file. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { folder, variables, log, admits } = options;
  const config = join(folder, "workerd.capnp");
  const configText = workerdConfig({ ...options.config, variables: Object.keys(variables) });
  await writeFile(config, configText, { mode: PRIVATE_FILE });
  const command = [workerdBinary(), "serve", config, `--control-fd=${CONTROL_FD}`];
  const child = await spawnGuarded(command, {
    ...ambientEnvironment(process.env),
    ...Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [environmentName(name), value]),
    ),
  });
  registerGroup(child);
  const lastLines: string[] = [];
  const report = new CrashReport(log);
  let [isListening, isStopped] = [false, false];
  for (const stream of [child.stdout, child.stderr])
    onLines(stream, (text) => {
      const read = readWorkerdLine(text);
      lastLines.push(read?.line?.message ?? redact(read?.message ?? text));
      if (lastLines.length > LOG_LINES_MAX) lastLines.shift();
      if (read === null) report.add(text);
      else if (isStopped && AT_ITS_END.test(read.message)) return;
      else if (admits(read.message)) writeLine(log, read);
    });
  const exited = (async () => {
    const how = await endOf(child);
    if (isListening && !isStopped) report.crashed(how);
    else report.flush("error");
  })();
  const listening = new Promise<void>((resolve) => {
    onLines(child.stdio[CONTROL_FD] as Readable, () => {
      isListening = true;
      resolve();
    });
  });
  return {
    pid: child.pid,
    listening: Promise.race([
      listening,
      exited.then(() => {
        throw new Failure("the mesh did not start", undefined, lastLines);
      }),
    ]),
    exited,
    lastLines,
    stop: () => {
      isStopped = true;
      return endGroup(child, () => void child.kill("SIGTERM"), GRACE_PERIOD_MS);
    },
  };
}

/** What workerd says of itself when it ends while objects have called each other, as cells do. It has no consequence. */
const AT_ITS_END = /still referenced after the server was dropped/;

function writeLine(log: Logger, { level, message, line }: WorkerdLine): void {
  if (line === null) log.write("workerd.output", { detail: message }, level);
  else log.pass(line);
}

/** Resolves when the process has ended and its output has been read, with its exit code or the signal that ended it. */
async function endOf(child: ChildProcess): Promise<string> {
  const output = Promise.all([streamEnd(child.stdout), streamEnd(child.stderr)]);
  const how = await new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once("error", ({ message }) => resolve(message));
  });
  await Promise.race([output, sleep(OUTPUT_TIMEOUT_MS, undefined, { ref: false })]);
  return how;
}

const streamEnd = (stream: Readable | null): Promise<void> =>
  new Promise((resolve) => void stream?.once("close", resolve));

async function spawnGuarded(
  [binary = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  // An image without a shell is that of a container, whose processes end with the first one.
  const hasShell = await access(SHELL).then(
    () => true,
    () => false,
  );
  const child = spawn(
    hasShell ? SHELL : binary,
    hasShell ? ["-c", GUARDED, binary, ...args] : args,
    { detached: true, stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"], env },
  );
  if (child.pid === undefined) {
    const [error] = (await once(child, "error")) as [Error];
    throw new Failure(`workerd can't be started (${error.message})`);
  }
  return child;
}

/** The environment of workerd, without secrets of the operator. The Worker reads only the variables that its configuration names. */
const ambientEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(withoutSecrets(env)).filter(
      ([name]) => !/(?:TOKEN|KEY|SECRET|PASSWORD)/.test(name),
    ),
  );

/** The native binary, so that no Node process stands in between. */
function workerdBinary(): string {
  const { default: path } = createRequire(import.meta.url)("workerd") as { default: string };
  return path;
}
