import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startMesh } from "../server/mesh-process.ts";
import { connectPeer } from "../src/client/index.ts";
import type { Protocol } from "../src/protocol/http.ts";
import type { Bench } from "./bench.ts";
import { cpuMs } from "./cpu.ts";
import { startPlainBare } from "./plain/bare.ts";

/** A muster.2 handshake may need this many times the CPU time of a bare connection. */
const BAR = 3;
const ROUNDS = 5;
const PER_ROUND = 100;
const CONCURRENCY = 8;
/** The work that a connection starts and that ends later, such as publishing a record, is counted, too. */
const AFTERWORK_MS = 700;

export const handshake: Bench = {
  summary:
    "handshakes per second and their CPU time, compared with a bare WebSocket connection and echo to a new object",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const mesh = await startMesh({
      dir: join(dir, "mesh"),
      port: 0,
      variables: { HANDSHAKES_PER_MINUTE: "1000000" },
    });
    const bare = await startPlainBare(join(dir, "bare"));
    try {
      const joinBy = (protocol: Protocol) => () => connectToMesh(mesh.url, mesh.meshKey, protocol);
      const subjects: readonly Subject[] = [
        { name: "bare", workerd: bare.pid, connect: () => connectToBare(bare.url) },
        { name: "go_p2p", workerd: mesh.pid ?? 0, connect: joinBy("go-p2p/1.0") },
        { name: "muster_2", workerd: mesh.pid ?? 0, connect: joinBy("muster/2") },
      ];
      const count = Math.max(CONCURRENCY, Math.round(PER_ROUND * scale));
      for (const subject of subjects) await measure(subject, CONCURRENCY * 2); // warm up
      const rounds = new Map<string, Measured[]>(subjects.map(({ name }) => [name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const subject of subjects)
          rounds.get(subject.name)?.push(await measure(subject, count));
        log(`round ${round + 1} of ${ROUNDS}`);
      }
      return report(rounds, count, log);
    } finally {
      await mesh.stop();
      await bare.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

type Close = () => void | Promise<void>;

interface Subject {
  readonly name: string;
  readonly workerd: number;
  /** Connects; resolves when the handshake is complete, with the function that closes the connection. */
  readonly connect: () => Promise<Close>;
}

interface Measured {
  readonly perSecond: number;
  readonly cpuMsEach: number;
}

/** Opens `count` connections, several at once. Closing them is not measured. */
async function measure({ workerd, connect }: Subject, count: number): Promise<Measured> {
  const closes: Close[] = [];
  const cpuBefore = cpuMs(workerd);
  const began = performance.now();
  let left = count;
  const lane = async () => {
    while (left-- > 0) closes.push(await connect());
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  const seconds = (performance.now() - began) / 1_000;
  await sleep(AFTERWORK_MS);
  const cpuMsEach = (cpuMs(workerd) - cpuBefore) / count;
  await Promise.all(closes.map(async (close) => close()));
  await sleep(AFTERWORK_MS);
  return { perSecond: count / seconds, cpuMsEach };
}

async function connectToMesh(url: string, meshKey: string, protocol: Protocol): Promise<Close> {
  const peer = connectPeer({ url, meshKey, protocol });
  await peer.ready;
  return () => peer.close();
}

async function connectToBare(url: string): Promise<Close> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  const echo = once(socket, "message");
  socket.send("echo");
  await echo;
  return () => socket.close();
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const round2 = (value: number): number => Math.round(value * 100) / 100;

function report(
  rounds: ReadonlyMap<string, readonly Measured[]>,
  count: number,
  log: (line: string) => void,
) {
  const of = (name: string) => {
    const measured = rounds.get(name) ?? [];
    const cpu_ms = measured.map(({ cpuMsEach }) => cpuMsEach);
    return {
      per_second: round2(median(measured.map(({ perSecond }) => perSecond))),
      cpu_ms_each: round2(median(cpu_ms)),
      cpu_ms_spread: [round2(Math.min(...cpu_ms)), round2(Math.max(...cpu_ms))],
    };
  };
  const [bare, goP2p, muster2] = [of("bare"), of("go_p2p"), of("muster_2")];
  const ratio = (figures: typeof bare) => round2(figures.cpu_ms_each / bare.cpu_ms_each);
  for (const [name, figures] of Object.entries({
    bare,
    "go-p2p 1.0": goP2p,
    "muster.2": muster2,
  })) {
    log(
      `${name.padEnd(11)} ${figures.per_second.toFixed(0).padStart(5)} per s  ${figures.cpu_ms_each.toFixed(2).padStart(6)} ms CPU each` +
        `  ${ratio(figures).toFixed(2).padStart(5)} times bare`,
    );
  }
  return {
    ok: ratio(muster2) <= BAR,
    bar: `muster.2 within ${BAR} times the CPU time of the bare connection`,
    handshakes_per_round: count,
    rounds: ROUNDS,
    bare,
    go_p2p: { ...goP2p, cpu_times_bare: ratio(goP2p) },
    muster_2: { ...muster2, cpu_times_bare: ratio(muster2) },
  };
}
