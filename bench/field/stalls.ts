import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/client/index.ts";
import { NetworkProxy } from "../fleet/network-proxy.ts";
import { KIND, PeerProcess } from "./peer-process.ts";

/** A mesh that these runs use: how its peers reach it, and how a controller does. */
export interface StalledMesh {
  readonly url: string;
  readonly meshKey: string;
  submit(leaseSeconds: number, kind: string): Promise<Task>;
  get(id: string): Promise<Task>;
}

export interface StallFigures {
  readonly tasks: number;
  readonly succeeded: number;
  /** How often handlers began in all. */
  readonly runs: number;
  /** From the end of the stall until the last task has ended. */
  readonly seconds_after: number;
}

export interface Stall {
  readonly stallMs: number;
  readonly leaseSeconds: number;
  readonly serviceMs: number;
}

/** One worker that is stopped (SIGSTOP) while it works, and goes on later. */
export async function stoppedWorker(mesh: StalledMesh, stall: Stall): Promise<StallFigures> {
  const peer = await startPeer(mesh, mesh.url, "stopped", stall);
  try {
    const { id } = await mesh.submit(stall.leaseSeconds, KIND);
    await untilRunning(mesh, [id]);
    peer.signal("SIGSTOP");
    await sleep(stall.stallMs);
    peer.signal("SIGCONT");
    return await figures(mesh, [id], [peer]);
  } finally {
    await peer.kill();
  }
}

/** Three workers whose links all stall while they work, and heal later. */
export async function partition(
  mesh: StalledMesh,
  port: number,
  stall: Stall,
): Promise<StallFigures> {
  const proxy = await NetworkProxy.start();
  proxy.setTarget(port);
  const names = ["one", "two", "three"];
  const peers = await Promise.all(names.map((name) => startPeer(mesh, proxy.url, name, stall)));
  try {
    const ids = await Promise.all(
      peers.map(async () => (await mesh.submit(stall.leaseSeconds, KIND)).id),
    );
    await untilRunning(mesh, ids);
    proxy.stall();
    await sleep(stall.stallMs);
    proxy.heal();
    return await figures(mesh, ids, peers);
  } finally {
    for (const peer of peers) await peer.kill();
    proxy.close();
  }
}

const startPeer = (
  { meshKey }: StalledMesh,
  url: string,
  name: string,
  { serviceMs }: Stall,
): Promise<PeerProcess> => PeerProcess.start({ url, meshKey, name, serviceMs, fails: false });

async function untilRunning(mesh: StalledMesh, ids: readonly string[]): Promise<void> {
  for (const id of ids) while ((await mesh.get(id)).state !== "running") await sleep(20);
}

const isEnded = ({ ended_at: endedAt }: Task): boolean => endedAt !== null;
const GIVEN_UP_MS = 120_000;

async function figures(
  mesh: StalledMesh,
  ids: readonly string[],
  peers: readonly PeerProcess[],
): Promise<StallFigures> {
  const healed = performance.now();
  const all = () => Promise.all(ids.map((id) => mesh.get(id)));
  let tasks = await all();
  while (!tasks.every(isEnded) && performance.now() - healed < GIVEN_UP_MS) {
    await sleep(50);
    tasks = await all();
  }
  const seconds = (performance.now() - healed) / 1_000;
  const runs = await Promise.all(peers.map((peer) => peer.runs()));
  return {
    tasks: ids.length,
    succeeded: tasks.filter(({ state }) => state === "succeeded").length,
    runs: runs.reduce((sum, count) => sum + count, 0),
    seconds_after: Math.round(seconds * 10) / 10,
  };
}
