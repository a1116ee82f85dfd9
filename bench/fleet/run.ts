import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controller, type MeshClient } from "../../src/client/index.ts";
import { differences, readRegistry } from "./agreement.ts";
import { TaskStream, type StreamResult } from "./task-stream.ts";
import { Host } from "./host-process.ts";
import type { HostedPeer } from "./host-messages.ts";
import { Server } from "./server.ts";
import { NetworkProxy } from "./network-proxy.ts";

export interface FleetOptions {
  /** The number of host processes: two are killed, one is frozen, one is frozen while the mesh restarts. */
  readonly hosts: number;
  readonly peersPerHost: number;
  /** The rate at which peers reconnect. */
  readonly perSecond: number;
  readonly freezeMs: number;
  readonly taskEveryMs: number;
  /** How long to wait at most until the registry matches the peers. */
  readonly patienceMs: number;
}

export interface FleetOutcome {
  readonly living: number;
  readonly killed: number;
  readonly sockets_cut: number;
  readonly tasks: StreamResult;
  /** How the registry still differs from the peers at the end, as texts. */
  readonly differences: readonly string[];
  /** Seconds from the restart of the mesh until the registry matches the peers. */
  readonly agreed_after_s: number;
  /** The state of a task whose deadline passed while the mesh was down. */
  readonly overdue_task: string;
  /** The peers that did not run a task that was assigned to each of them at the end. */
  readonly unreachable: readonly string[];
}

const JOIN_INTERVAL_MS = 100;
const POLL_INTERVAL_MS = 1_000;
/** A deadline that passes while the mesh is down. */
const OVERDUE_DEADLINE_S = 2;

/**
 * Runs a fleet with faults: connections are reset, processes frozen and killed, and the mesh is killed and restarted on its
 * disk, while tasks are submitted all the time. Afterwards the registry is compared with the peers.
 */
export async function runFleet(
  options: FleetOptions,
  random: () => number,
  log: (line: string) => void,
): Promise<FleetOutcome> {
  const dir = await mkdtemp(join(tmpdir(), "muster-fleet-"));
  const network = await NetworkProxy.start();
  const server = await Server.start(join(dir, "mesh"), network, reconnectVariables(options));
  const hosts = Array.from({ length: options.hosts }, () => new Host());
  try {
    return await withFaults({ options, random, log, server, network, hosts });
  } finally {
    for (const host of hosts) await host.kill();
    network.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

interface FaultRun {
  readonly options: FleetOptions;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly server: Server;
  readonly network: NetworkProxy;
  /** The living hosts: those that are killed are removed. */
  readonly hosts: Host[];
}

async function withFaults(run: FaultRun): Promise<FleetOutcome> {
  const { options, random, log, server, network, hosts } = run;
  const { meshKey, adminToken: token } = server.mesh;
  const mesh = controller({ url: server.mesh.url, token });
  const connection = { url: network.url, meshKey };
  const killed = removeLast(hosts);
  const newcomers = removeLast(hosts);
  for (const host of [...hosts, killed])
    host.join(options.peersPerHost, connection, { paceMs: JOIN_INTERVAL_MS });
  await waitForAgreement(run, mesh, [...hosts, killed]);
  log(`${(hosts.length + 1) * options.peersPerHost} peers have joined`);

  const stream = new TaskStream(mesh, options.taskEveryMs, () => 50 + random() * 2_000);
  let cut = network.resetSome(0.2, random);
  const [frozen, frozenAtRestart] = hosts as [Host, Host];
  frozen.freeze();
  await sleep(options.freezeMs / 2);
  await killed.kill();
  cut += network.resetSome(0.1, random);
  await sleep(options.freezeMs / 2);
  frozen.thaw();
  log(`${cut} connections reset, one host killed, one frozen for ${options.freezeMs / 1_000} s`);

  // The newcomers die while the mesh is down, so the alarms of their sessions must detect it; a new session checks within a minute.
  newcomers.join(options.peersPerHost, connection, { paceMs: 20 });
  await waitForAgreement(run, mesh, [...hosts, newcomers]);
  const overdue = await mesh.tasks.submit("work", null, {
    capabilities: ["nobody-has-this"],
    deadlineSeconds: OVERDUE_DEADLINE_S,
  });
  frozenAtRestart.freeze();
  await server.kill();
  await newcomers.kill();
  await sleep(OVERDUE_DEADLINE_S * 1_000);
  await server.restart(reconnectVariables(options));
  const backAt = Date.now();
  log("the mesh and a host were killed, and the mesh has restarted");
  await sleep(options.freezeMs / 2);
  frozenAtRestart.thaw();
  cut += network.resetSome(0.1, random);
  await sleep(options.freezeMs / 2);

  const tasks = await stream.end();
  const { living, left } = await waitForAgreement(run, mesh, hosts);
  const agreed_after_s = Math.round((Date.now() - backAt) / 100) / 10;
  log(`${left.length} differences, ${agreed_after_s} s after the restart of the mesh`);
  return {
    living: living.length,
    killed: 2 * options.peersPerHost,
    sockets_cut: cut,
    tasks,
    differences: left,
    agreed_after_s,
    overdue_task: (await mesh.tasks.get(overdue.id)).state,
    unreachable: await findUnreachable(mesh, living),
  };
}

const reconnectVariables = ({ perSecond, hosts, peersPerHost }: FleetOptions) => ({
  RECONNECT_SPREAD_SECONDS: String(Math.ceil((hosts * peersPerHost) / perSecond)),
});

const removeLast = (hosts: Host[]): Host => hosts.pop() as Host;

/** Waits until the registry matches what the peers of these hosts report; returns the differences that are left at the end. */
async function waitForAgreement({ options }: FaultRun, mesh: MeshClient, hosts: readonly Host[]) {
  const until = Date.now() + options.patienceMs;
  for (;;) {
    const reports = await Promise.all(hosts.map((host) => host.report()));
    const living = reports.flatMap(({ peers }) => peers);
    const expected = hosts.length * options.peersPerHost;
    const missing = living.length < expected ? [`${living.length} of ${expected} started`] : [];
    const left = [...missing, ...differences(await readRegistry(mesh), living)];
    if (left.length === 0 || Date.now() > until) return { living, left };
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Assigns a task to each peer, with time for a second offer; returns the peers that did not run it. */
async function findUnreachable(mesh: MeshClient, living: readonly HostedPeer[]): Promise<string[]> {
  const unreached = await Promise.all(
    living.map(async ({ id: peerId }, n) => {
      const { id } = await mesh.tasks.submit(
        "work",
        { n, ms: 1 },
        { peerId, deadlineSeconds: 300 },
      );
      const { state, result, error } = await mesh.tasks.wait(id);
      return state === "succeeded" && result === 2 * n ? null : `${peerId}: ${state}, ${error}`;
    }),
  );
  return unreached.filter((peer) => peer !== null);
}
