import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controller } from "../src/client/index.ts";
import type { Bench } from "./bench.ts";
import { Host } from "./fleet/host-process.ts";
import type { ConnectionEvent } from "./fleet/host-messages.ts";
import { Server } from "./fleet/server.ts";
import { NetworkProxy } from "./fleet/network-proxy.ts";

const PEERS = 2_000;
const HOSTS = 8;
/** Low enough that the machine, which runs both the peers and the mesh, is not the bottleneck. */
const PER_SECOND = 40;
/** The least that can be configured: nearly at once. */
const SPREAD_SECONDS_MIN = 1;
/** Connection attempts in the busiest second may be this many times the configured rate. */
const BAR = 3;
const JOINS_PER_SECOND = 40;
const TIMEOUT_MS = 600_000;
const POLL_INTERVAL_MS = 1_000;

export const reconnect: Bench = {
  summary:
    "2,000 SDK peers reconnect after the mesh was killed: attempts in the busiest second, compared with the rate that the configured spread gives, and with next to no spread",
  async run(log, scale) {
    const perHost = Math.max(1, Math.round((PEERS * scale) / HOSTS));
    const peers = perHost * HOSTS;
    const dir = await mkdtemp(join(tmpdir(), "muster-reconnect-"));
    const network = await NetworkProxy.start();
    const spread = Math.ceil(peers / PER_SECOND);
    const server = await Server.start(join(dir, "mesh"), network, reconnectVariables(spread));
    const hosts = Array.from({ length: HOSTS }, () => new Host());
    try {
      const { url } = network;
      const { meshKey } = server.mesh;
      const paceMs = (HOSTS * 1_000) / JOINS_PER_SECOND;
      for (const host of hosts) host.join(perHost, { url, meshKey }, { paceMs });
      await waitForAllActive(hosts, peers);
      log(`${peers} peers have joined`);
      // The restarted mesh has next to no spread, which takes effect at the second restart.
      const limited = await restartAndWatch(server, hosts, peers, SPREAD_SECONDS_MIN);
      log(`with a spread of ${spread} s: ${line(limited)}`);
      const unlimited = await restartAndWatch(server, hosts, peers, spread);
      log(`with a spread of ${SPREAD_SECONDS_MIN} s: ${line(unlimited)}`);
      const peak = limited.peak_tries;
      return {
        ok: peak <= BAR * PER_SECOND && limited.active === peers && unlimited.active === peers,
        bar: `attempts within ${BAR} times the rate of the spread in every second, and all peers reconnect`,
        peers,
        spread_seconds: spread,
        per_second: PER_SECOND,
        times_the_rate: Math.round((100 * peak) / PER_SECOND) / 100,
        in_turn: limited,
        without_turns: unlimited,
      };
    } finally {
      await Promise.all(hosts.map((host) => host.kill()));
      network.close();
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

interface ReturnFigures {
  readonly down_s: number;
  /** Connection attempts in the busiest second since the kill, including those that found no mesh. */
  readonly peak_tries: number;
  /** Welcomes in the busiest second; a stall of the machine, which runs all processes, makes them bunch up. */
  readonly peak_welcomes: number;
  readonly tries: number;
  /** Seconds from the restart of the mesh to the last welcome. */
  readonly all_back_after_s: number;
  /** Peers that are active in the registry at the end. */
  readonly active: number;
}

/** Kills the mesh, restarts it with another spread of reconnects, and waits until all peers are active. */
async function restartAndWatch(
  server: Server,
  hosts: readonly Host[],
  peers: number,
  spreadSeconds: number,
): Promise<ReturnFigures> {
  await eventsSinceLast(hosts); // discard earlier events
  const killedAt = Date.now();
  await server.kill();
  await server.restart(reconnectVariables(spreadSeconds));
  const backAt = Date.now();
  const events = await waitForAllActive(hosts, peers);
  const times = (type: ConnectionEvent["type"]) =>
    events.filter((event) => event.type === type).map(({ at }) => at);
  const { url, adminToken: token } = server.mesh;
  let active = 0;
  for await (const _peer of controller({ url, token }).peers.list({ state: "active" })) active++;
  return {
    down_s: (backAt - killedAt) / 1_000,
    peak_tries: peakSecond(times("connecting")),
    peak_welcomes: peakSecond(times("ready")),
    tries: times("connecting").length,
    all_back_after_s: (Math.max(...times("ready")) - backAt) / 1_000,
    active,
  };
}

const reconnectVariables = (spreadSeconds: number) => ({
  RECONNECT_SPREAD_SECONDS: String(spreadSeconds),
});

/** The connection events of all hosts since the last call, and how many peers are active now. */
async function eventsSinceLast(hosts: readonly Host[]) {
  const reports = await Promise.all(hosts.map((host) => host.report()));
  return {
    active: reports.flatMap(({ peers }) => peers).filter(({ state }) => state === "active").length,
    events: reports.flatMap(({ events }) => events),
  };
}

/** Waits until all peers are active; returns the connection events until then. */
async function waitForAllActive(
  hosts: readonly Host[],
  peers: number,
): Promise<readonly ConnectionEvent[]> {
  const until = Date.now() + TIMEOUT_MS;
  const events: ConnectionEvent[] = [];
  for (;;) {
    await sleep(POLL_INTERVAL_MS);
    const { active, events: more } = await eventsSinceLast(hosts);
    for (const event of more) events.push(event);
    if (active === peers) return events;
    if (Date.now() > until) throw new Error(`${active} of ${peers} peers are active`);
  }
}

/** The greatest number of times within any period of one second. */
function peakSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let first = 0;
  let peak = 0;
  for (const [index, at] of sorted.entries()) {
    while (at - (sorted[first] as number) >= 1_000) first++;
    peak = Math.max(peak, index - first + 1);
  }
  return peak;
}

const line = ({ peak_tries, peak_welcomes, down_s, all_back_after_s }: ReturnFigures): string =>
  `${peak_tries} attempts and ${peak_welcomes} welcomes in the busiest second; down for ${down_s} s, all back ${all_back_after_s} s later`;
