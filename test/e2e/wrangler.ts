import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { meshKeyOf, newSecrets } from "../../src/cli/state-folder.ts";
import { secretsText } from "../../src/cli/secrets-file.ts";
import { freePort } from "../../src/cli/ports.ts";
import { endGroup, registerGroup } from "../../src/cli/process-group.ts";
import { eventually, PROJECT } from "./processes.ts";

/** A mesh under `wrangler dev`, as somebody who deploys to Cloudflare tries it. */
export interface WranglerMesh {
  readonly url: string;
  readonly adminToken: string;
  readonly meshKey: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export async function startWrangler(
  dir: string,
  variables: Readonly<Record<string, string>> = {},
  secrets = newSecrets(),
): Promise<WranglerMesh> {
  const secretsFile = join(dir, "mesh.secrets");
  await mkdir(dir, { recursive: true });
  await writeFile(secretsFile, secretsText(secrets), { mode: 0o600 });
  const port = await freePort("127.0.0.1");
  const child = spawnWrangler(dir, secretsFile, port, variables);
  registerGroup(child);
  const stop = () => endGroup(child, () => void child.kill("SIGINT"));
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(
      () =>
        fetch(`${url}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      () => "an answer of wrangler dev",
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const { ADMIN_TOKEN: adminToken } = secrets;
  return { url, adminToken, meshKey: meshKeyOf(secrets), pid: child.pid ?? 0, stop };
}

function spawnWrangler(
  dir: string,
  secretsFile: string,
  port: number,
  variables: Readonly<Record<string, string>>,
): ChildProcess {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const options = {
    config: join(PROJECT, "wrangler.toml"),
    ip: "127.0.0.1",
    port: String(port),
    "inspector-port": "0",
    "persist-to": join(dir, "state"),
    "env-file": secretsFile,
    local: "true",
    "show-interactive-dev-session": "false",
    "log-level": "warn",
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const vars = Object.entries(variables).map(([name, value]) => `--var=${name}:${value}`);
  // Its launcher in `bin/` starts a second Node and does not forward signals.
  const cli = join(dirname(manifest), "wrangler-dist", "cli.js");
  return spawn(process.execPath, ["--no-warnings", cli, "dev", ...flags, ...vars], {
    cwd: PROJECT,
    detached: true,
    stdio: "ignore",
    env: {
      ...process.env,
      CI: "1",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true",
      CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
      WRANGLER_LOG_PATH: join(dir, "logs"),
      XDG_CONFIG_HOME: join(dir, "config"),
    },
  });
}
