import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../src/cli/ports.ts";
import { endGroup, registerGroup } from "../src/cli/process-group.ts";

/** The baseline of a benchmark: `bench/bare/worker.ts`, started in the same way as the mesh. */
export interface BareWorker {
  /** The URL of its WebSocket. */
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startBareWorker(dir: string): Promise<BareWorker> {
  const port = await freePort("127.0.0.1");
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const config = fileURLToPath(new URL("bare/wrangler.toml", import.meta.url));
  const child = spawn(
    process.execPath,
    [
      join(dirname(manifest), "wrangler-dist", "cli.js"),
      "dev",
      `--config=${config}`,
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--inspector-port=0",
      `--persist-to=${dir}`,
      "--local",
      "--show-interactive-dev-session=false",
    ],
    {
      detached: true,
      stdio: "ignore",
      env: {
        ...process.env,
        CI: "1",
        WRANGLER_SEND_METRICS: "false",
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
      },
    },
  );
  registerGroup(child);
  const url = `http://127.0.0.1:${port}`;
  for (
    let tries = 0;
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ));
    tries++
  ) {
    if (tries === 200) throw new Error("the bare worker did not start");
    await sleep(150);
  }
  return {
    url: url.replace("http", "ws"),
    pid: child.pid ?? 0,
    stop: () => endGroup(child, () => void child.kill("SIGINT")),
  };
}
