import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "vitest";

export const PROJECT = join(import.meta.dirname, "../..");
const MAIN = join(PROJECT, "src/cli/main.ts");

/** In place of the user's own settings, where meshes are remembered that were met once. */
const SETTINGS = mkdtempSync(join(tmpdir(), "muster-settings-"));
process.once("exit", () => rmSync(SETTINGS, { recursive: true, force: true }));

/** How long a test waits for what must come; what never comes fails it. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A running `muster`, by the Node that runs the tests. */
export class Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], options: RunOptions) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd: options.cwd ?? PROJECT,
      env: { ...bareEnvironment(), ...options.env },
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

  /** Settles once it has said something of that form, on either stream. */
  async says(what: RegExp): Promise<void> {
    await eventually(
      () => {
        if (what.test(this.stdout) || what.test(this.stderr)) return true;
        if (this.child.exitCode !== null) throw new Error(`it ended instead of saying ${what}`);
        return false;
      },
      () => `${what} in: ${this.stdout}${this.stderr}`,
    );
  }
}

export const start = (args: readonly string[], options: RunOptions = {}): Running =>
  new Running(args, options);

/** Runs `muster` to its end. */
export const muster = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  start(args, options).finished;

/** The tests' own surroundings must not decide which mesh is meant. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const { MUSTER_URL: _url, MUSTER_TOKEN: _token, ...env } = process.env;
  return { ...env, NO_COLOR: "1", XDG_CONFIG_HOME: SETTINGS };
}

/** Looks until `holds` does; `story` tells what was there instead. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  story: () => string,
): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`never came: ${story()}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Whether a process runs. A zombie, which has ended but was not reaped yet, does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const args = ["-o", "stat=", "-p", String(pid)];
  const state = await promisify(execFile)("ps", args).then(
    ({ stdout }) => stdout.trim(),
    () => "", // `ps` exits with 1 for a PID that it does not find
  );
  return state !== "" && !state.startsWith("Z");
}

/** An environment variable that everything a program starts inherits: by it, what is left of it can be found. */
export class Mark {
  readonly #value = randomUUID();

  get env(): Readonly<Record<string, string>> {
    return { MUSTER_TEST_MARK: this.#value };
  }

  /** PID and command of every live process that bears the mark. The dead that nobody has buried do not count. */
  async bearers(): Promise<readonly { readonly pid: number; readonly command: string }[]> {
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

  /** Fails if anything lives on. The kernel may need a moment to bury what was killed. */
  async expectNoneLeft(): Promise<void> {
    const until = Date.now() + 3_000;
    let left = await this.bearers();
    while (left.length > 0 && Date.now() < until) {
      await sleep(LOOK_EVERY_MS);
      left = await this.bearers();
    }
    expect(left).toEqual([]);
  }
}
