import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { controller } from "../src/client/index.ts";
import type { Bench } from "./bench.ts";
import { Host } from "./fleet/host-process.ts";
import type { Moment } from "./fleet/host-messages.ts";
import { Server } from "./fleet/server.ts";
import { Wire } from "./fleet/wire.ts";

const PEERS = 2_000;
const HOSTS = 8;
/** Low enough that this machine, which carries peers and mesh alike, does not set the pace itself. */
const PER_SECOND = 40;
/** So high that everybody's turn comes at once. */
const NO_TURNS = 1_000_000;
/** Tries in the busiest second may be this many times the set rate: they are what turns decide and the mesh has to bear. */
const BAR = 3;
const JOINS_PER_SECOND = 40;
const PATIENCE_MS = 600_000;
const LOOK_EVERY_MS = 1_000;

export const reconnect: Bench = {
  summary:
    "2,000 SDK peers return after the mesh was killed: arrivals in the busiest second beside the set rate, and beside no turns",
  async run(log, scale) {
    const perHost = Math.max(1, Math.round((PEERS * scale) / HOSTS));
    const peers = perHost * HOSTS;
    const dir = await mkdtemp(join(tmpdir(), "muster-reconnect-"));
    const wire = await Wire.lay();
    const server = await Server.start(join(dir, "mesh"), wire, turns(PER_SECOND));
    const hosts = Array.from({ length: HOSTS }, () => new Host());
    try {
      const { url } = wire;
      const { meshKey } = server.mesh;
      const paceMs = (HOSTS * 1_000) / JOINS_PER_SECOND;
      for (const host of hosts) host.join(perHost, { url, meshKey }, { paceMs });
      await allActive(hosts, peers);
      log(`${peers} peers have joined`);
      // The mesh that comes back gives no turns any more, for the second return.
      const inTurn = await comeBack(server, hosts, peers, NO_TURNS);
      log(`in turn: ${line(inTurn)}`);
      const atOnce = await comeBack(server, hosts, peers, PER_SECOND);
      log(`without turns: ${line(atOnce)}`);
      const peak = inTurn.peak_tries;
      return {
        ok: peak <= BAR * PER_SECOND && inTurn.active === peers && atOnce.active === peers,
        bar: `arrivals within ${BAR} times the set rate in every second, and all return`,
        peers,
        per_second: PER_SECOND,
        times_the_rate: Math.round((100 * peak) / PER_SECOND) / 100,
        in_turn: inTurn,
        without_turns: atOnce,
      };
    } finally {
      await Promise.all(hosts.map((host) => host.kill()));
      wire.close();
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

interface Return {
  readonly down_s: number;
  /** Arrivals, as the mesh would bear them: dials in the busiest second from the kill on, those that met no mesh included. */
  readonly peak_tries: number;
  /** Welcomes in the busiest second: as arrivals, but bunched wherever the machine, which carries everybody, stalls. */
  readonly peak_welcomes: number;
  readonly tries: number;
  /** From the mesh's being back to the last welcome. */
  readonly all_back_after_s: number;
  /** Peers that the registry calls active in the end. */
  readonly active: number;
}

/** Kills the mesh, starts it again, and watches all peers return. The new one gives turns of `perSecond`. */
async function comeBack(
  server: Server,
  hosts: readonly Host[],
  peers: number,
  perSecond: number,
): Promise<Return> {
  await movements(hosts); // what came before does not count
  const killedAt = Date.now();
  await server.kill();
  await server.restart(turns(perSecond));
  const backAt = Date.now();
  const moments = await allActive(hosts, peers);
  const times = (what: Moment["what"]) =>
    moments.filter((moment) => moment.what === what).map(({ at }) => at);
  const { url, adminToken: token } = server.mesh;
  let active = 0;
  for await (const _peer of controller({ url, token }).peers({ state: "active" })) active++;
  return {
    down_s: (backAt - killedAt) / 1_000,
    peak_tries: peakSecond(times("connecting")),
    peak_welcomes: peakSecond(times("ready")),
    tries: times("connecting").length,
    all_back_after_s: (Math.max(...times("ready")) - backAt) / 1_000,
    active,
  };
}

const turns = (perSecond: number) => ({ RECONNECTS_PER_SECOND: String(perSecond) });

/** What has happened since it was asked last. */
async function movements(hosts: readonly Host[]) {
  const reports = await Promise.all(hosts.map((host) => host.report()));
  return {
    active: reports.flatMap(({ peers }) => peers).filter(({ state }) => state === "active").length,
    moments: reports.flatMap(({ moments }) => moments),
  };
}

/** Everything that happens until all peers are active. */
async function allActive(hosts: readonly Host[], peers: number): Promise<readonly Moment[]> {
  const until = Date.now() + PATIENCE_MS;
  const moments: Moment[] = [];
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    const { active, moments: more } = await movements(hosts);
    for (const moment of more) moments.push(moment);
    if (active === peers) return moments;
    if (Date.now() > until) throw new Error(`${active} of ${peers} peers are active`);
  }
}

/** The most that fall into any one second, wherever it begins. */
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

const line = ({ peak_tries, peak_welcomes, down_s, all_back_after_s }: Return): string =>
  `${peak_tries} tries and ${peak_welcomes} welcomes in the busiest second; down for ${down_s} s, all back ${all_back_after_s} s later`;
