import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Bench } from "./bench.ts";
import { quickRandom } from "./random.ts";
import { QUERIES, makeFleet, type Query, type Fleet } from "./rank/fleet.ts";
import { goP2p } from "./rank/go-p2p.ts";
import { pickMicros, updateMicros } from "./rank/measure.ts";
import { buildIndex, rankIndex, rankIndexById } from "./rank/muster.ts";
import { plainBuckets } from "./rank/plain-buckets.ts";
import { linearScan, sortOnQuery } from "./rank/scans.ts";
import { sqliteIndex } from "./rank/sqlite.ts";
import type { Subject } from "./rank/subject.ts";
import { wakeMs } from "./rank/wake.ts";

/** The index may need this many times the update and pick times of plain buckets, and this many bytes per peer. */
const BAR = 3;
const BYTES_BAR = 64;
/** The floor and the index are measured alternately in this many rounds, after one warm-up round; the others once. */
const ROUNDS = 5;
const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const OTHERS = [rankIndexById, linearScan, sortOnQuery, sqliteIndex, goP2p];

const WAKE_PEERS = 100_000;
const WAKE_BAR_MS = 500;
const OBJECT_BYTES = 128 * 2 ** 20;

export const rankIndexBench: Bench = {
  summary:
    "update and pick at 1,000 to 1,000,000 peers: the index, plain score buckets, SQLite, scan, sort, go-p2p's rebuild",
  run(log, scale) {
    const sizes = SIZES.map((size) => Math.max(100, Math.round(size * scale)));
    const peers = Object.fromEntries(sizes.map((size) => [size, measureSize(size, log)]));
    const largest = peers[sizes.at(-1) ?? 0] as Measured;
    const memory = measureMemory(sizes.at(-1) ?? 0);
    const wake = wakeMs(makeFleet(Math.round(WAKE_PEERS * scale), quickRandom(5)));
    log(
      `wake: ${WAKE_PEERS * scale} rows in ${wake.toFixed(0)} ms; memory: ${JSON.stringify(memory)}`,
    );
    const times = ratiosToFloor(largest);
    return Promise.resolve({
      ok:
        Math.max(...Object.values(times)) <= BAR &&
        memory.bytes_a_peer <= BYTES_BAR &&
        wake < WAKE_BAR_MS,
      bar: `at the largest size within ${BAR} times the update and pick of plain buckets, ${BYTES_BAR} bytes a peer; ${WAKE_PEERS} awake in ${WAKE_BAR_MS} ms`,
      times_plain_buckets: times,
      memory,
      wake: { peers: WAKE_PEERS * scale, ms: round(wake) },
      what: Object.fromEntries(
        [plainBuckets, rankIndex, ...OTHERS].map(({ name, description: what }) => [name, what]),
      ),
      microseconds_by_peers: peers,
    });
  },
};

type Micros = { readonly update: number } & { readonly [A in Query]?: number };
type Measured = Readonly<Record<string, Micros>>;

function measureSize(size: number, log: (line: string) => void): Measured {
  const fleet = makeFleet(size, quickRandom(size));
  const rounds = Array.from({ length: ROUNDS + 1 }, (_, round) =>
    [plainBuckets, rankIndex].map((subject) => measureSubject(subject, fleet, round)),
  ).slice(1);
  const all: Record<string, Micros> = {
    [plainBuckets.name]: medians(rounds.map(([floor]) => floor as Micros)),
    [rankIndex.name]: medians(rounds.map(([, index]) => index as Micros)),
  };
  for (const subject of OTHERS) all[subject.name] = measureSubject(subject, fleet, 0);
  for (const [name, micros] of Object.entries(all)) {
    const figures = Object.entries(micros).map(([what, us]) => `${what} ${us} us`);
    log(`${String(size).padStart(9)} ${name.padEnd(14)} ${figures.join("  ")}`);
  }
  return all;
}

function measureSubject(subject: Subject, fleet: Fleet, round: number): Micros {
  const random = quickRandom(round + 2);
  const ranking = subject.build(fleet);
  const picks = subject.supports.map((asked) => [
    asked,
    round3(pickMicros(ranking, fleet, asked, random)),
  ]);
  const update = round3(updateMicros(ranking, fleet, random));
  return { update, ...Object.fromEntries(picks) };
}

function medians(rounds: readonly Micros[]): Micros {
  const of = (what: keyof Micros) =>
    rounds.map((round) => round[what] ?? Number.NaN).toSorted((a, b) => a - b)[ROUNDS >> 1];
  const whats = Object.keys(rounds[0] ?? {}) as (keyof Micros)[];
  return Object.fromEntries(whats.map((what) => [what, of(what)])) as Micros;
}

/** The times of the index divided by those of the floor. The floor supports one query, the index three. */
function ratiosToFloor({
  plain_buckets: floor,
  rank_index: index,
}: Measured): Record<string, number> {
  const times = (what: "update" | Query, by: number | undefined) =>
    round((index?.[what] ?? Number.NaN) / (by ?? Number.NaN));
  return {
    update: times("update", floor?.update),
    ...Object.fromEntries(QUERIES.map((asked) => [`pick_${asked}`, times(asked, floor?.any)])),
  };
}

/** The memory of the index, by its own count and by that of the process, and how many peers fill the memory of an object. */
function measureMemory(peers: number) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const fleet = makeFleet(peers, quickRandom(9));
  const held = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = held();
  const index = buildIndex(fleet);
  const bytes = held() - before;
  return {
    peers: index.size,
    kinds: index.kinds,
    bytes_a_peer: round(index.bytes / index.size),
    bytes_a_peer_of_process: round(bytes / index.size),
    peers_that_fill_128_mib: Math.floor(OBJECT_BYTES / (index.bytes / index.size)),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
const round3 = (value: number): number => Number(value.toPrecision(3));
