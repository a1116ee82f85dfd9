import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controller, type Controller } from "../../src/client/index.ts";
import { differences, readRegistry } from "./agreement.ts";
import { TaskStream, type Ended } from "./task-stream.ts";
import { Host } from "./host-process.ts";
import type { HostedPeer } from "./host-messages.ts";
import { Server } from "./server.ts";
import { Wire } from "./wire.ts";

export interface FleetOptions {
  /** In processes of equal size: one is killed, one frozen, one frozen through the mesh's restart. */
  readonly hosts: number;
  readonly peersPerHost: number;
  /** Peers that return a second. */
  readonly perSecond: number;
  readonly freezeMs: number;
  readonly taskEveryMs: number;
  /** Waits for agreement at the longest. */
  readonly patienceMs: number;
}

export interface FleetOutcome {
  readonly living: number;
  readonly killed: number;
  readonly sockets_cut: number;
  readonly tasks: Ended;
  /** Where registry and truth still differ at the end, in words. */
  readonly differences: readonly string[];
  /** From the mesh's being back to full agreement. */
  readonly agreed_after_s: number;
  /** A task whose deadline passed while the mesh was down. */
  readonly overdue_task: string;
  /** Of one task to each living peer, those that did not succeed. */
  readonly unreachable: readonly string[];
}

const PACE_MS = 100;
const LOOK_EVERY_MS = 1_000;
/** Ends while the mesh is down. */
const OVERDUE_S = 2;

/**
 * A fleet under faults: sockets are cut, processes frozen and killed, the mesh killed and started again on its disk, while tasks
 * are given all along. Afterwards it is asked whether registry and truth agree.
 */
export async function runFleet(
  options: FleetOptions,
  random: () => number,
  log: (line: string) => void,
): Promise<FleetOutcome> {
  const dir = await mkdtemp(join(tmpdir(), "muster-fleet-"));
  const wire = await Wire.lay();
  const server = await Server.start(join(dir, "mesh"), wire, turns(options));
  const hosts = Array.from({ length: options.hosts }, () => new Host());
  try {
    return await withFaults({ options, random, log, server, wire, hosts });
  } finally {
    for (const host of hosts) await host.kill();
    wire.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Stage {
  readonly options: FleetOptions;
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly server: Server;
  readonly wire: Wire;
  /** Those that live; who is killed is taken out. */
  readonly hosts: Host[];
}

async function withFaults(stage: Stage): Promise<FleetOutcome> {
  const { options, random, log, server, wire, hosts } = stage;
  const { meshKey, adminToken: token } = server.mesh;
  const mesh = controller({ url: server.mesh.url, token });
  const reach = { url: wire.url, meshKey };
  const doomed = take(hosts);
  const late = take(hosts);
  for (const host of [...hosts, doomed])
    host.join(options.peersPerHost, reach, { paceMs: PACE_MS });
  await agreement(stage, mesh, [...hosts, doomed]);
  log(`${(hosts.length + 1) * options.peersPerHost} peers have joined`);

  const drip = new TaskStream(mesh, options.taskEveryMs, () => 50 + random() * 2_000);
  let cut = wire.cut(0.2, random);
  const [frozen, frozenThrough] = hosts as [Host, Host];
  frozen.freeze();
  await sleep(options.freezeMs / 2);
  await doomed.kill();
  cut += wire.cut(0.1, random);
  await sleep(options.freezeMs / 2);
  frozen.thaw();
  log(`${cut} sockets cut, a process killed, one frozen for ${options.freezeMs / 1_000} s`);

  // They die while the mesh is down, so their sessions' own alarms have to find them; those of newcomers ring in a minute.
  late.join(options.peersPerHost, reach, { paceMs: 20 });
  await agreement(stage, mesh, [...hosts, late]);
  const overdue = await mesh.assign("work", null, {
    capabilities: ["nobody-has-this"],
    deadlineSeconds: OVERDUE_S,
  });
  frozenThrough.freeze();
  await server.kill();
  await late.kill();
  await sleep(OVERDUE_S * 1_000);
  await server.restart(turns(options));
  const backAt = Date.now();
  log("the mesh was killed, with a process of peers, and is back");
  await sleep(options.freezeMs / 2);
  frozenThrough.thaw();
  cut += wire.cut(0.1, random);
  await sleep(options.freezeMs / 2);

  const tasks = await drip.end();
  const { living, left } = await agreement(stage, mesh, hosts);
  const agreed_after_s = Math.round((Date.now() - backAt) / 100) / 10;
  log(`${left.length} differences, ${agreed_after_s} s after the mesh was back`);
  return {
    living: living.length,
    killed: 2 * options.peersPerHost,
    sockets_cut: cut,
    tasks,
    differences: left,
    agreed_after_s,
    overdue_task: (await mesh.task(overdue.id)).state,
    unreachable: await reachAll(mesh, living),
  };
}

const turns = ({ perSecond }: FleetOptions) => ({ RECONNECTS_PER_SECOND: String(perSecond) });

const take = (hosts: Host[]): Host => hosts.pop() as Host;

/** Waits until the registry agrees with what the peers of these hosts say; what still differs after the longest wait, if anything. */
async function agreement({ options }: Stage, mesh: Controller, hosts: readonly Host[]) {
  const until = Date.now() + options.patienceMs;
  for (;;) {
    const reports = await Promise.all(hosts.map((host) => host.report()));
    const living = reports.flatMap(({ peers }) => peers);
    const expected = hosts.length * options.peersPerHost;
    const missing = living.length < expected ? [`${living.length} of ${expected} begun`] : [];
    const left = [...missing, ...differences(await readRegistry(mesh), living)];
    if (left.length === 0 || Date.now() > until) return { living, left };
    await sleep(LOOK_EVERY_MS);
  }
}

/** Whether the session that the registry names is the one that lives: a task to each, with time for a second offer. */
async function reachAll(mesh: Controller, living: readonly HostedPeer[]): Promise<string[]> {
  const unreached = await Promise.all(
    living.map(async ({ id: peerId }, n) => {
      const { id } = await mesh.assign("work", { n, ms: 1 }, { peerId, deadlineSeconds: 300 });
      const { state, result, error } = await mesh.wait(id);
      return state === "succeeded" && result === 2 * n ? null : `${peerId}: ${state}, ${error}`;
    }),
  );
  return unreached.filter((peer) => peer !== null);
}
