import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPlainBare } from "../plain/bare.ts";
import type { Replacement } from "../plain/bundle.ts";
import { startPlainMesh, type PlainMesh } from "../plain/mesh.ts";
import type { Workerd } from "../plain/workerd.ts";
import { connectBullMq, type BullMq } from "./bullmq.ts";
import type { Closers } from "./closers.ts";
import { HttpCaller } from "./http-caller.ts";
import { probeBare, probeMesh, type LatencyProbe, type TaskLatencies } from "./latency.ts";
import { connectPeers, type EmptyPeers } from "./peers.ts";
import { hasRedis, startRedis, type Redis } from "./redis.ts";
import { TaskApi } from "./task-api.ts";

export const PEERS = 4;
export const SLOTS = 16;

/** The coordinator commits each command by itself. */
const UNGROUPED: Replacement = {
  imported: "/kernel/command-queue.ts",
  by: fileURLToPath(new URL("ungrouped-queue.ts", import.meta.url)),
};

/** A mesh with connected peers. */
interface Mesh {
  readonly server: PlainMesh;
  readonly api: TaskApi;
  readonly peers: EmptyPeers;
}

/** Everything that the rounds compare, each on a server of its own. */
export interface Subjects {
  readonly bare: { readonly server: Workerd; readonly http: HttpCaller };
  /** 4 peers of 16 slots. */
  readonly mesh: Mesh;
  /** One peer of 16 slots. */
  readonly onePeer: Mesh;
  readonly bullMq: { readonly server: Redis; readonly client: BullMq } | null;
  readonly latency: {
    readonly probes: readonly LatencyProbe[];
    readonly floors: readonly number[];
    readonly tasks: TaskLatencies;
    /** Of the same build without grouping. */
    readonly ungrouped: TaskLatencies;
    /** Forgets what was measured so far. */
    forget(): void;
  };
}

export async function startSubjects(dir: string, closers: Closers): Promise<Subjects> {
  const bareServer = closers.keep(await startPlainBare(join(dir, "bare")), stop);
  const http = closers.keep(new HttpCaller(bareServer.url), (caller) => caller.close());
  const bare = { server: bareServer, http };
  const mesh = await startMesh(join(dir, "mesh"), PEERS, closers);
  const onePeer = await startMesh(join(dir, "one-peer"), 1, closers);
  const bullMq = hasRedis() ? await startBullMq(join(dir, "redis"), closers) : null;
  const latency = await startProbes(dir, closers);
  return { bare, mesh, onePeer, bullMq, latency };
}

async function startMesh(dir: string, count: number, closers: Closers): Promise<Mesh> {
  const server = closers.keep(await startPlainMesh({ dir }), stop);
  const api = closers.keep(new TaskApi(server), (caller) => caller.close());
  const connected = await connectPeers(server, { count, slots: SLOTS });
  return { server, api, peers: closers.keep(connected, (peers) => peers.close()) };
}

async function startBullMq(dir: string, closers: Closers) {
  const server = closers.keep(await startRedis(dir), stop);
  const connected = await connectBullMq(server, { workers: PEERS, slots: SLOTS });
  return { server, client: closers.keep(connected, (client) => client.close()) };
}

/** Servers of their own, so that their state does not depend on the loads of the other rounds. */
async function startProbes(dir: string, closers: Closers) {
  const floors: number[] = [];
  const tasks: TaskLatencies = { receipts: [], results: [] };
  const ungrouped: TaskLatencies = { receipts: [], results: [] };
  const bare = closers.keep(await startPlainBare(join(dir, "bare-latency")), stop);
  const mesh = closers.keep(await startPlainMesh({ dir: join(dir, "mesh-latency") }), stop);
  const variant = { dir: join(dir, "ungrouped"), replacement: UNGROUPED };
  const ungroupedMesh = closers.keep(await startPlainMesh(variant), stop);
  const probes = [
    await probeBare(bare, floors),
    await probeMesh(mesh, tasks),
    await probeMesh(ungroupedMesh, ungrouped),
  ];
  for (const probe of probes) closers.keep(probe, (one) => one.close());
  const forget = () => {
    const all = [floors, tasks.receipts, tasks.results, ungrouped.receipts, ungrouped.results];
    for (const latencies of all) latencies.splice(0);
  };
  return { probes, floors, tasks, ungrouped, forget };
}

const stop = (server: { stop(): Promise<void> }): Promise<void> => server.stop();
