import type { Route } from "../../protocol/route.ts";
import { hasNodeThreads } from "../threads/node-thread.ts";
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
/** Where the programs are on systems on which PATH of an ordinary user lacks them. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/**
 * Runs traceroute, tracepath or mtr: the first that exists and reaches the host. On Node, Deno (with permission to run them)
 * and Bun; elsewhere, and on Windows, null.
 */
export const measureRoute: MeasureRoute = async (host, signal) => {
  try {
    const path = hasNodeThreads() ? await searchPath() : null;
    if (path === null) return null;
    const processes = (await import(CHILD_PROCESS)) as ChildProcess;
    for (const { tool, file, args } of routeCommands(host)) {
      const output = await outputOf(processes, file, args, path, signal);
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
  path: string,
  signal: AbortSignal,
): Promise<string | null> =>
  new Promise((resolve) => {
    const options = {
      env: { PATH: path, LC_ALL: "C" },
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
      query(of: { readonly name: "run" | "env" }): Promise<{ readonly state: string }>;
    };
  };
}

/** Where to look for programs; null where none may be run. Deno would ask its user for a missing permission. */
async function searchPath(): Promise<string | null> {
  const { process, Deno } = globalThis as unknown as HostRuntime;
  for (const name of ["run", "env"] as const) {
    const permission = await Deno?.permissions.query({ name });
    if (permission !== undefined && permission.state !== "granted") return null;
  }
  if (process.platform === "win32") return null;
  // A relative folder would run whatever is in the current one.
  const folders = (process.env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...new Set([...folders, ...SYSTEM_FOLDERS])].join(":");
}
