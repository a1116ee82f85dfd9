import { join } from "node:path";
import { startPlainBare } from "../plain/bare.ts";
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
    /** Of the same build without grouping; null if it cannot be switched off. */
    readonly ungrouped: TaskLatencies | null;
    /** Forgets what was measured so far. */
    forget(): void;
  };
}

export async function startSubjects(
  dir: string,
  ungroupedEntry: string | null,
  closers: Closers,
): Promise<Subjects> {
  const bareServer = closers.keep(await startPlainBare(join(dir, "bare")), stop);
  const http = closers.keep(new HttpCaller(bareServer.url), (caller) => caller.close());
  const bare = { server: bareServer, http };
  const mesh = await startMesh(join(dir, "mesh"), PEERS, closers);
  const onePeer = await startMesh(join(dir, "one-peer"), 1, closers);
  const bullMq = hasRedis() ? await startBullMq(join(dir, "redis"), closers) : null;
  const latency = await startProbes(dir, ungroupedEntry, closers);
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
async function startProbes(dir: string, ungroupedEntry: string | null, closers: Closers) {
  const floors: number[] = [];
  const tasks: TaskLatencies = { receipts: [], results: [] };
  const ungrouped: TaskLatencies | null =
    ungroupedEntry === null ? null : { receipts: [], results: [] };
  const bare = closers.keep(await startPlainBare(join(dir, "bare-latency")), stop);
  const mesh = closers.keep(await startPlainMesh({ dir: join(dir, "mesh-latency") }), stop);
  const probes = [await probeBare(bare, floors), await probeMesh(mesh, tasks)];
  if (ungrouped !== null && ungroupedEntry !== null) {
    const options = { dir: join(dir, "ungrouped"), entry: ungroupedEntry };
    const server = closers.keep(await startPlainMesh(options), stop);
    probes.push(await probeMesh(server, ungrouped));
  }
  for (const probe of probes) closers.keep(probe, (one) => one.close());
  const forget = () => {
    const all = [floors, tasks.receipts, tasks.results, ungrouped?.receipts, ungrouped?.results];
    for (const latencies of all) latencies?.splice(0);
  };
  return { probes, floors, tasks, ungrouped, forget };
}

const stop = (server: { stop(): Promise<void> }): Promise<void> => server.stop();
