import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { UpstashAccess } from "../durable/upstash-store.ts";

/** Why the tests with Redis are skipped; empty when redis-server is installed. */
export const redisSkipReason = ((): string => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return "";
  } catch {
    return " (skipped: redis-server is not installed)";
  }
})();

export interface RedisUnderTest extends UpstashAccess {
  /** Stops Redis behind the proxy, which then answers with errors. Redis loses its data. */
  halt(): Promise<void>;
  /** Starts a new, empty Redis in its place. */
  resume(): Promise<void>;
  /** Stops Redis in the middle of what it does: connections stay open, and nothing answers. */
  suspend(): void;
  /** Lets it go on. */
  wake(): void;
  stop(): Promise<void>;
}

/** Starts Redis, and in front of it a proxy with the REST API of Upstash, both on free local ports. */
export async function startRedis(): Promise<RedisUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), "muster-redis-"));
  const [redisPort, port] = [await freePort(), await freePort()];
  const token = "redis-test-token";
  const run = (): ChildProcess =>
    spawn(
      "redis-server",
      ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--dir", dir],
      { stdio: "ignore" },
    );
  let redis = run();
  const proxy = spawn(process.execPath, [PROXY], {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      URS_TOKEN: token,
      PORT: String(port),
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await Promise.all([end(proxy), end(redis)]);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitUntilReady({ url, token });
  } catch (error) {
    await stop();
    throw error;
  }
  const resume = async (): Promise<void> => {
    redis = run();
    await waitUntilReady({ url, token });
  };
  return {
    url,
    token,
    halt: () => end(redis),
    resume,
    suspend: () => void redis.kill("SIGSTOP"),
    wake: () => void redis.kill("SIGCONT"),
    stop,
  };
}

/** The server of the package, which its `exports` do not contain. */
const PROXY = join(
  import.meta.dirname,
  "../node_modules/@humanwhocodes/upstash-redis-server/dist/server.js",
);

/** Runs one Redis command through the REST API. */
export async function redisCommand(
  { url, token }: UpstashAccess,
  ...words: string[]
): Promise<unknown> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(words),
  });
  if (!answer.ok) throw new Error(`Redis answers ${answer.status}`);
  const { result } = (await answer.json()) as { readonly result: unknown };
  return result;
}

async function waitUntilReady(access: UpstashAccess): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++) {
    const pong = await redisCommand(access, "PING").catch(() => null);
    if (pong === "PONG") return;
    await sleep(50);
  }
  throw new Error("Redis and its proxy did not come up");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
