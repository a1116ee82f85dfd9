import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, inject } from "vitest";

export const PROJECT = join(import.meta.dirname, "../..");
/** The program `muster`: a bundle in the end-to-end tests, else the sources. */
const MUSTER = inject("command") ?? join(PROJECT, "src/cli/main.ts");

/** Replaces the settings folder of the user, which stores the keys of known meshes. */
const SETTINGS_FOLDER = mkdtempSync(join(tmpdir(), "muster-settings-"));
process.once("exit", () => rmSync(SETTINGS_FOLDER, { recursive: true, force: true }));

/** How long a test waits for an event before it fails. A start on a busy machine takes tens of seconds. */
const WAIT_TIMEOUT_MS = 120_000;
const POLL_INTERVAL_MS = 50;
/** How long killed processes may take to disappear. */
const EXIT_TIMEOUT_MS = 15_000;

export interface ExitResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A running `muster` process, on the Node that runs the tests. */
export class MusterProcess {
  readonly child: ChildProcess;
  readonly finished: Promise<ExitResult>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], options: RunOptions) {
    this.child = spawn(process.execPath, [MUSTER, ...args], {
      cwd: options.cwd ?? PROJECT,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdin?.end(options.input ?? "");
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.finished = new Promise((resolve) => {
      this.child.once("close", (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Waits until stdout or stderr matches. */
  async waitForOutput(pattern: RegExp): Promise<void> {
    await eventually(
      () => {
        if (pattern.test(this.stdout) || pattern.test(this.stderr)) return true;
        if (this.child.exitCode !== null)
          throw new Error(
            `muster ended without the output ${pattern}: ${this.stdout}${this.stderr}`,
          );
        return false;
      },
      () => `${pattern} in: ${this.stdout}${this.stderr}`,
    );
  }
}

export const start = (args: readonly string[], options: RunOptions = {}): MusterProcess =>
  new MusterProcess(args, options);

/** Runs `muster` and waits until it ends. */
export const muster = (args: readonly string[], options: RunOptions = {}): Promise<ExitResult> =>
  start(args, options).finished;

/** The environment without the variables that select a mesh, and with an empty settings folder. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { MUSTER_URL: _url, MUSTER_TOKEN: _token, ...env } = process.env;
  return { ...env, NO_COLOR: "1", XDG_CONFIG_HOME: SETTINGS_FOLDER };
}

/** What a mesh said when it started with `--log json` or `--json`: lines of its Worker may come before. */
export const startedLine = ({ stdout }: MusterProcess): Readonly<Record<string, string>> =>
  JSON.parse(/^.*"auth_mode":.*$/m.exec(stdout)?.[0] ?? "{}") as Record<string, string>;

/**
 * Polls until `condition` holds. It must then stay true, because a poll may miss a state that passes. `description` says in
 * the error what was expected, or what was there instead.
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  description: () => string,
): Promise<void> {
  const until = Date.now() + WAIT_TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`timed out waiting for ${description()}`);
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Whether a process runs. A zombie, which has ended but was not reaped yet, does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const args = ["-o", "stat=", "-p", String(pid)];
  const state = await promisify(execFile)("ps", args).then(
    ({ stdout }) => stdout.trim(),
    () => "", // `ps` exits with 1 when the PID does not exist
  );
  return state !== "" && !state.startsWith("Z");
}

/** An environment variable that child processes inherit, by which a test finds every process that a program started. */
export class ProcessMarker {
  readonly #value = randomUUID();

  get env(): Readonly<Record<string, string>> {
    return { MUSTER_TEST_MARK: this.#value };
  }

  /** PID and command of every process with the marker, except zombies. */
  async markedProcesses(): Promise<readonly { readonly pid: number; readonly command: string }[]> {
    const { stdout } = await promisify(execFile)("ps", ["axeww", "-o", "pid=,stat=,command="], {
      maxBuffer: 64 * 1_024 * 1_024,
    });
    return stdout
      .split("\n")
      .filter((line) => line.includes(this.#value))
      .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
      .filter((match) => match !== null && !match[2]?.startsWith("Z"))
      .map((match) => ({ pid: Number(match?.[1]), command: String(match?.[3]) }));
  }

  /** Fails if a process with the marker still runs. A killed process may need a moment to end. */
  async expectNoneLeft(): Promise<void> {
    const until = Date.now() + EXIT_TIMEOUT_MS;
    let left = await this.markedProcesses();
    while (left.length > 0 && Date.now() < until) {
      await sleep(POLL_INTERVAL_MS);
      left = await this.markedProcesses();
    }
    expect(left).toEqual([]);
  }
}
