import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../src/cli/ports.ts";
import { endGroup, registerGroup } from "../../src/cli/process-group.ts";
import { cpuMs } from "../cpu.ts";
import { fsyncCounter } from "../plain/fsync-counter.ts";
import type { Counted } from "./load.ts";

/** A Redis server that syncs its log to the disk before it answers a write. */
export interface Redis extends Counted {
  readonly port: number;
  stop(): Promise<void>;
}

export const hasRedis = (): boolean =>
  spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0;

export async function startRedis(dir: string): Promise<Redis> {
  await mkdir(dir, { recursive: true });
  const port = await freePort("127.0.0.1");
  const counter = fsyncCounter(dir);
  const settings = {
    bind: "127.0.0.1",
    port,
    dir,
    appendonly: "yes",
    appendfsync: "always",
    save: "",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn("redis-server", args, {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, ...counter.environment },
  });
  registerGroup(child);
  const pid = child.pid ?? 0;
  await untilListening(port);
  return {
    port,
    cpuMs: () => cpuMs(pid),
    fsyncs: () => counter.count(),
    stop: () => endGroup(child, () => void child.kill("SIGTERM")),
  };
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, "127.0.0.1");
    const connected = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await sleep(50);
  }
  throw new Error("redis-server did not start");
}
