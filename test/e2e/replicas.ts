import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UpstashAccess } from "../../durable/upstash-store.ts";
import { freePort } from "../../src/cli/ports.ts";
import { endGroup, registerGroup } from "../../src/cli/process-group.ts";
import { eventually, PROJECT } from "./processes.ts";

const BIN = join(PROJECT, "node_modules/.bin");
const DENO = join(BIN, "deno");

/** The commands that start a replica on each runtime, as in docs/discovery.md, without access to the internet. */
const COMMANDS = {
  Deno: (port) => [
    DENO,
    "serve",
    "--no-remote",
    "--node-modules-dir=manual",
    "--allow-env",
    "--allow-net",
    "--host=127.0.0.1",
    `--port=${port}`,
    "workers/discovery.ts",
  ],
  Node: () => [process.execPath, "bin/replica.js"],
  Workers: (port, variables) => [
    join(BIN, "wrangler"),
    "dev",
    "-c",
    "wrangler.discovery.toml",
    "--ip=127.0.0.1",
    `--port=${port}`,
    "--inspector-port=0",
    ...Object.entries(variables).map(([name, value]) => `--var=${name}:${value}`),
  ],
} satisfies Record<
  string,
  (port: number, variables: Readonly<Record<string, string>>) => readonly string[]
>;
export type Runtime = keyof typeof COMMANDS;
export const RUNTIMES = Object.keys(COMMANDS) as Runtime[];

/** Why a runtime is missing; empty when it is available. The npm package `deno` has a binary for some platforms only. */
export const skipReason = (runtime: Runtime): string =>
  runtime === "Deno" && !existsSync(DENO) ? " (skipped: node_modules has no deno binary)" : "";

export interface RunningReplica {
  readonly url: string;
  /** The output so far. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/** Starts a replica; resolves when it answers, if only with 503 because there is no copy yet. */
export async function startReplica(
  runtime: Runtime,
  redis: UpstashAccess,
  verifyingKey: string,
): Promise<RunningReplica> {
  const home = await mkdtemp(join(tmpdir(), "muster-replica-"));
  const port = await freePort("127.0.0.1");
  const variables = {
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
    MESH_VERIFYING_KEY: verifyingKey,
  };
  const [program = "", ...args] = COMMANDS[runtime](port, variables);
  const child = spawn(program, args, {
    cwd: PROJECT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      ...variables,
      HOME: home,
      XDG_CONFIG_HOME: home,
      DENO_DIR: home,
      DENO_NO_UPDATE_CHECK: "1",
      CI: "1",
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
  registerGroup(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await endGroup(child, () => void child.kill("SIGTERM"));
    await rm(home, { recursive: true, force: true });
  };
  try {
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`the replica ended: ${output}`);
        const answer = await fetch(`${url}/healthz`).catch(() => null);
        return answer?.status === 200 || answer?.status === 503;
      },
      () => output,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, output: () => output, stop };
}
