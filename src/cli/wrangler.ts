import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { Failure } from "./failure.ts";
import { killGroup, takeCharge } from "./process-group.ts";
import type { StateFolder } from "./state-folder.ts";

/** The project: where `wrangler.toml`, `src/` and `workers/` are. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const GUARD = pathToFileURL(join(import.meta.dirname, "mesh-guard.ts")).href;

/** Takes 2 s here. */
const BUILD_MS = 60_000;
const CONFIG = join(PROJECT, "wrangler.toml");
/** What wrangler calls the bundle of `workers/gateway.ts`. */
const BUNDLE = "gateway.js";

export interface WranglerOptions {
  readonly folder: StateFolder;
  readonly host: string;
  readonly port: number;
  /** Variables of the Worker over those of wrangler.toml; nothing secret, for arguments can be read. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Bundles the Worker into the state folder. `wrangler dev` would do it, too, but would then follow every change of
 * the source, dropping all sessions, and answer nothing while the source does not build.
 */
export async function buildWorker(folder: StateFolder, signal?: AbortSignal): Promise<void> {
  const args = wranglerArgs(["deploy", "--dry-run"], { config: CONFIG, outdir: folder.build });
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: environmentOf(folder),
  });
  takeCharge(child);
  try {
    const patience = AbortSignal.timeout(BUILD_MS);
    const either = signal === undefined ? patience : AbortSignal.any([signal, patience]);
    const said = text(child.stderr);
    const [code] = (await once(child, "exit", { signal: either })) as [number | null];
    if (code !== 0) {
      const why = stripVTControlCharacters(await said).trim();
      throw new Failure(`the Worker does not build:\n${why}`);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    // Waited for: a bundler that still lives would write into a folder that the caller removes.
    await killGroup(child);
  }
}

/**
 * `wrangler dev` on the workerd in node_modules, leading a process group of its own. Secrets go by file: arguments can
 * be read by every user of the machine.
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

/** wrangler's own entry, without the launcher in `bin/`, which starts a second Node and does not pass signals on. */
function wranglerCli(): string {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  return join(dirname(manifest), "wrangler-dist", "cli.js");
}

const environmentOf = (folder: StateFolder): NodeJS.ProcessEnv => ({
  ...withoutCloudflare(process.env),
  ...quietEnvironment(folder),
});

/** The user's Cloudflare account and settings are none of a local mesh's business. */
const withoutCloudflare = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(CLOUDFLARE|WRANGLER|MINIFLARE|CF)_/.test(name)),
  );

/** No telemetry, no look for updates, no download of `cf.json`; and wrangler's litter stays in the state folder. */
const quietEnvironment = (folder: StateFolder): NodeJS.ProcessEnv => ({
  CI: "1",
  NO_COLOR: "1",
  DO_NOT_TRACK: "1",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  // The banner is what looks for updates.
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
  // `--env-file` counts only with this; the process's own variables stay out of the Worker.
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true",
  CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
  WRANGLER_LOG_PATH: folder.logs,
  WRANGLER_CACHE_DIR: folder.cache,
  WRANGLER_REGISTRY_PATH: join(folder.cache, "registry"),
  XDG_CONFIG_HOME: folder.cache,
});
