import type { Route } from "../../protocol/route.ts";
import { hasNodeThreads } from "../threads/runtime.ts";
import { parseRoute } from "./parse-route.ts";
import { routeCommands } from "./route-commands.ts";

/** Measures the network path to a host. Null if that is not possible. Never rejects. */
export type MeasureRoute = (host: string, signal: AbortSignal) => Promise<Route | null>;

/** The part of `node:child_process` that is used here. */
interface ChildProcess {
  execFile(
    file: string,
    args: readonly string[],
    options: {
      readonly env: Readonly<Record<string, string>>;
      readonly timeout: number;
      readonly killSignal: "SIGKILL";
      readonly maxBuffer: number;
      readonly signal: AbortSignal;
    },
    done: (error: unknown, stdout: string, stderr: string) => void,
  ): unknown;
}

/** The name is not a literal in `import`, so that bundlers for browsers do not look for the module. */
const CHILD_PROCESS = "node:child_process";
/** A path of 30 hops that do not answer takes a program that sends one probe at a time a minute. */
const TIMEOUT_MS = 60_000;
/** Output of 30 hops is about 4 KiB. */
const OUTPUT_BYTES_MAX = 64 * 1024;
/** Where the programs are if PATH lacks them, as that of an ordinary user may. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/**
 * Runs traceroute, tracepath or mtr: the first that exists and reaches the host. On Node, Bun, and Deno with
 * `--allow-run` and `--allow-env`; elsewhere, and on Windows, null.
 */
export const measureRoute: MeasureRoute = async (host, signal) => {
  try {
    if (!hasNodeThreads() || runtime.process.platform === "win32") return null;
    const processes = (await import(CHILD_PROCESS)) as ChildProcess;
    for (const { tool, file, args } of routeCommands(host)) {
      if (!(await mayRun(file))) continue;
      const output = await outputOf(processes, file, args, signal);
      const hops = output === null ? null : parseRoute(tool, output);
      if (hops !== null) return { hops, tool };
      if (signal.aborted) return null;
    }
    return null;
  } catch {
    return null;
  }
};

/** What the program printed; null if there is no such program, or it failed or did not end in time. No shell runs it. */
const outputOf = (
  processes: ChildProcess,
  file: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | null> =>
  new Promise((resolve) => {
    const options = {
      env: { PATH: searchPath(), LC_ALL: "C" },
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: OUTPUT_BYTES_MAX,
      signal,
    } as const;
    processes.execFile(file, args, options, (error, stdout, stderr) =>
      resolve(error === null ? `${stdout}\n${stderr}` : null),
    );
  });

interface HostRuntime {
  readonly process: { readonly platform: string; readonly env: { readonly PATH?: string } };
  readonly Deno?: {
    readonly permissions: {
      query(
        of: { readonly name: "run"; readonly command: string } | { readonly name: "env" },
      ): Promise<{ readonly state: string }>;
    };
  };
}

const runtime = globalThis as unknown as HostRuntime;

/**
 * Whether the program may be run. Deno would ask its user about a missing permission; running a program there takes that for
 * the whole environment, too.
 */
async function mayRun(command: string): Promise<boolean> {
  const permissions = runtime.Deno?.permissions;
  if (permissions === undefined) return true;
  const [run, env] = await Promise.all([
    permissions.query({ name: "run", command }),
    permissions.query({ name: "env" }),
  ]);
  return run.state === "granted" && env.state === "granted";
}

/** Where to look for programs. A relative folder of PATH would run whatever is in the current one. */
function searchPath(): string {
  const folders = (runtime.process.env.PATH ?? "")
    .split(":")
    .filter((each) => each.startsWith("/"));
  return [...new Set([...folders, ...SYSTEM_FOLDERS])].join(":");
}
