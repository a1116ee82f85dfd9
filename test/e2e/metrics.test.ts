import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectPeer, controller, type MeshClient, type Peer } from "../../src/client/index.ts";
import { parseMetrics, valueOf } from "../metrics/parse-metrics.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually, muster, PROJECT } from "./processes.ts";

/** Why the tests with Prometheus are skipped; empty when it is installed. */
const skipReason = ((): string => {
  try {
    for (const program of ["promtool", "prometheus"])
      execFileSync(program, ["--version"], { stdio: "ignore" });
    return "";
  } catch {
    return " (skipped: prometheus and promtool are not installed)";
  }
})();

let running: TestMesh;
let client: MeshClient;
let peer: Peer;
const TASKS = 5;
beforeAll(async () => {
  running = await testMesh({ AUTH_MODE: "open" });
  const { url, adminToken: token } = running.mesh;
  client = controller({ url, token });
  const handlers = { double: async (payload: unknown) => 2 * Number(payload) };
  peer = connectPeer({ url, handlers });
  await peer.ready;
  for (let n = 0; n < TASKS; n++) expect(await client.run("double", n)).toBe(2 * n);
});
afterAll(async () => {
  await peer.close();
  await running.stop();
});

const promtool = (args: readonly string[], input?: string): string =>
  execFileSync("promtool", args, {
    encoding: "utf8",
    stdio: "pipe",
    ...(input !== undefined && { input }),
  });

describe("the metrics of a mesh on workerd", () => {
  test("CL85 muster metrics prints them in both formats, and in one member of JSON", async () => {
    const { url } = running.mesh;
    const [token] = [running.mesh.adminToken];
    const shown = async (...args: string[]) => {
      const { code, stdout, stderr } = await muster(["metrics", "--url", url, ...args], {
        env: { MUSTER_TOKEN: token },
      });
      expect([code, stderr]).toEqual([0, ""]);
      return stdout;
    };
    const labels = { kind: "double", state: "succeeded" };
    const older = parseMetrics(await shown(), "prometheus");
    expect(valueOf(older, "muster_tasks_ended_total", labels)).toBe(TASKS);
    const open = parseMetrics(await shown("--openmetrics"), "openmetrics");
    expect(valueOf(open, "muster_tasks_ended_total", labels)).toBe(TASKS);
    const json = JSON.parse(await shown("--json")) as { format: string; text: string };
    expect(json.format).toBe("prometheus");
    parseMetrics(json.text, "prometheus");
  });

  test("CL86 muster kinds load prints what there is to do", async () => {
    const { url, adminToken } = running.mesh;
    await client.tasks.submit("waits", null);
    const { code, stdout } = await muster(["kinds", "load", "waits", "--url", url], {
      env: { MUSTER_TOKEN: adminToken },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^waiting +1 \(the oldest for \d+ s\)\nscheduled +0\nrunning +0\n$/);
    expect(await client.kinds.load("waits")).toMatchObject({ waiting: 1, load: 1 });
  });
});

describe.skipIf(skipReason !== "")(`with Prometheus${skipReason}`, () => {
  test("MT3 promtool finds nothing to say about the metrics", async () => {
    expect(promtool(["check", "metrics"], await client.settings.metrics())).toBe("");
  });

  test("MT16 promtool accepts the alert rules", () => {
    expect(promtool(["check", "rules", join(PROJECT, "docs/metrics/alert-rules.yaml")])).toContain(
      "SUCCESS",
    );
  });

  test("MT17 Prometheus scrapes a mesh with a token of scope metrics, and evaluates the rules", async () => {
    const { token } = await client.tokens.create("metrics", "prometheus");
    const prometheus = await startPrometheus(token);
    try {
      const { address } = prometheus;
      const ask = async <T>(path: string): Promise<T> => {
        const answer = await fetch(`http://${address}/api/v1/${path}`);
        const { data } = (await answer.json()) as { readonly data: T };
        return data;
      };
      const query = async (expression: string): Promise<number | null> => {
        const { result } = await ask<{ result: { value: [number, string] }[] }>(
          `query?query=${encodeURIComponent(expression)}`,
        );
        const value = result[0]?.value[1];
        return value === undefined ? null : Number(value);
      };
      let ended: number | null = null;
      await eventually(
        async () => {
          ended = await query('muster_tasks_ended_total{kind="double",state="succeeded"}').catch(
            () => null,
          );
          return ended !== null;
        },
        () => `a scrape, not: ${prometheus.output()}`,
      );
      expect(ended).toBe(TASKS);
      expect(await query('up{job="muster"}')).toBe(1);
      expect(await query('sum(muster_peers{state="active"})')).toBe(1);
      const median = "histogram_quantile(0.5, muster_peer_score_bucket)";
      expect(await query(median)).toBeGreaterThan(0);
      expect(await query('muster_peer_score_bucket{le="1.0"}')).toBe(1);
      const { activeTargets } = await ask<{
        activeTargets: { health: string; lastError: string }[];
      }>("targets");
      expect(activeTargets).toMatchObject([{ health: "up", lastError: "" }]);
      interface Rule {
        readonly name: string;
        readonly health: string;
        readonly lastError?: string;
      }
      const rulesOf = async (): Promise<readonly Rule[]> => {
        const { groups } = await ask<{ groups: { rules: readonly Rule[] }[] }>("rules");
        return groups.flatMap(({ rules }) => rules);
      };
      await eventually(
        async () => (await rulesOf()).every(({ health }) => health !== "unknown"),
        () => "every rule is evaluated",
      );
      const rules = await rulesOf();
      expect(rules.length).toBeGreaterThan(10);
      expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    } finally {
      await prometheus.stop();
    }
  });
});

/** Starts Prometheus as docs/metrics.md says, on a port of its own. */
async function startPrometheus(token: string) {
  const dir = join(running.dir, "prometheus");
  await mkdir(dir);
  const page = await readFile(join(PROJECT, "docs/metrics.md"), "utf8");
  const example = /```yaml\n(scrape_configs:[\s\S]*?)```/.exec(page)?.[1] ?? "";
  const config = example
    .replace("scheme: https", "scheme: http")
    .replace("/etc/prometheus/prometheus.token", join(dir, "token"))
    .replace("mesh.example]", `"${new URL(running.mesh.url).host}"]`)
    .replace("alert-rules.yaml", join(PROJECT, "docs/metrics/alert-rules.yaml"));
  await writeFile(join(dir, "token"), `${token}\n`);
  const file = join(dir, "prometheus.yml");
  await writeFile(
    file,
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }\n${config}`,
  );
  expect(promtool(["check", "config", file])).toContain("SUCCESS");
  const address = `127.0.0.1:${await freePort()}`;
  let output = "";
  const child: ChildProcess = spawn(
    "prometheus",
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  return {
    address,
    output: () => output,
    async stop(): Promise<void> {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** Prometheus does not say which port the system has given it, so the port is chosen before. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
