import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { Failure } from "./failure.ts";
import { PACKAGE_FOLDER } from "./package-folder.ts";
import { killGroup, registerGroup } from "./process-group.ts";
import { withoutSecrets } from "./secrets.ts";
import type { StateFolder } from "./state-folder.ts";

/** The root folder of the project, with `wrangler.toml`, `src/` and `workers/`. */
const PROJECT = PACKAGE_FOLDER;
const GUARD = new URL("./mesh-guard.ts", import.meta.url).href;

/** A build takes 2 s on an idle machine. */
const BUILD_TIMEOUT_MS = 60_000;
const CONFIG = join(PROJECT, "wrangler.toml");
/** The name that wrangler gives to the bundle of `workers/gateway.ts`. */
const BUNDLE = "gateway.js";

export interface WranglerOptions {
  readonly folder: StateFolder;
  readonly host: string;
  readonly port: number;
  /** Variables of the Worker; they override those of wrangler.toml. No secrets: every user can read arguments. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Bundles the Worker into the state folder. `wrangler dev` would bundle it, too, but would also rebuild on every change
 * of the source, which drops all sessions, and would not answer while the source does not build.
 */
export async function buildWorker(folder: StateFolder, signal?: AbortSignal): Promise<void> {
  const args = wranglerArgs(["deploy", "--dry-run"], { config: CONFIG, outdir: folder.build });
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: environmentOf(folder),
  });
  registerGroup(child);
  try {
    const timeout = AbortSignal.timeout(BUILD_TIMEOUT_MS);
    const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const stderr = text(child.stderr);
    const [code] = (await once(child, "exit", { signal: either })) as [number | null];
    if (code !== 0) {
      const reason = stripVTControlCharacters(await stderr).trim();
      throw new Failure("the Worker does not build", undefined, reason.split("\n"));
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    // Wait for the end: a bundler that still runs would write into a folder that the caller removes.
    await killGroup(child);
  }
}

/**
 * Starts `wrangler dev` on the workerd in node_modules, in a process group of its own. Secrets are passed in a file,
 * because every user of the machine can read arguments.
 */
export function spawnWrangler({ folder, host, port, variables }: WranglerOptions): ChildProcess {
  const args = wranglerArgs(["dev", join(folder.build, BUNDLE)], {
    bundle: "false",
    config: CONFIG,
    ip: host,
    port: String(port),
    "inspector-port": "0",
    "persist-to": folder.state,
    "env-file": folder.secrets,
    local: "true",
    "show-interactive-dev-session": "false",
    "log-level": "warn",
  });
  args.push(`--env-file=${folder.start}`);
  for (const [name, value] of Object.entries(variables)) args.push(`--var=${name}:${value}`);
  return spawn(process.execPath, ["--import", GUARD, ...args], {
    cwd: PROJECT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: environmentOf(folder),
  });
}

const wranglerArgs = (words: readonly string[], options: Record<string, string>): string[] => {
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return ["--no-warnings", wranglerCli(), ...words, ...flags];
};

/** The entry point of wrangler. Its launcher in `bin/` starts a second Node and does not forward signals. */
function wranglerCli(): string {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  return join(dirname(manifest), "wrangler-dist", "cli.js");
}

const environmentOf = (folder: StateFolder): NodeJS.ProcessEnv => ({
  ...withoutSecrets(withoutCloudflare(process.env)),
  ...offlineEnvironment(folder),
});

/** A local mesh must not use the Cloudflare account and settings of the user. */
const withoutCloudflare = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(CLOUDFLARE|WRANGLER|MINIFLARE|CF)_/.test(name)),
  );

/** No telemetry, no update check, no download of `cf.json`; and wrangler writes its files into the state folder. */
const offlineEnvironment = (folder: StateFolder): NodeJS.ProcessEnv => ({
  CI: "1",
  NO_COLOR: "1",
  DO_NOT_TRACK: "1",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  // The banner checks for updates.
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
  // `--env-file` has an effect only with this variable; the variables of the process do not reach the Worker.
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true",
  CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
  WRANGLER_LOG_PATH: folder.logs,
  WRANGLER_CACHE_DIR: folder.cache,
  WRANGLER_REGISTRY_PATH: join(folder.cache, "registry"),
  XDG_CONFIG_HOME: folder.cache,
});
