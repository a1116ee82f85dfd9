import { metricsText } from "../src/metrics/text.ts";
import { newUuid } from "../src/protocol/ids.ts";
import { TestMesh, testKey, type TestPeer } from "../test/coordinator/mesh.ts";
import { seededRandom } from "../test/random.ts";
import type { Bench } from "./bench.ts";

const ROUNDS = 41;
const TASKS = 400;
const PEERS = 10_000;
const QUEUED = 10_000;
const KINDS = 200;
const SCRAPES = 21;

/** What counting may add to a task in the core, and how much CPU a scrape may take the coordinator. */
const SHARE_BAR = 0.15;
const SCRAPE_BAR_MS = 100;

export const metrics: Bench = {
  summary:
    "what the counters cost a task in the core, and a scrape of 10,000 peers and 10,000 queued tasks",
  run(log, scale) {
    const perTask = costOfCounting(Math.max(100, Math.round(TASKS * scale)));
    log(`a task in the core: ${JSON.stringify(perTask)}`);
    const scrape = costOfScrape(Math.round(PEERS * scale), Math.round(QUEUED * scale));
    log(`a scrape: ${JSON.stringify(scrape)}`);
    return Promise.resolve({
      ok: perTask.share <= SHARE_BAR && scrape.collect_ms <= SCRAPE_BAR_MS,
      bar: `counting is at most ${SHARE_BAR * 100} % of a task in the core; a scrape takes the coordinator ${SCRAPE_BAR_MS} ms of CPU at most`,
      how: "the core on node:sqlite in memory, each command a commit of its own: submit, accept and finish of an empty task, rounds with and without counting alternately, medians of CPU; scrapes with a changed counter before each, medians of CPU",
      task: perTask,
      scrape,
    });
  },
};

/** Microseconds of CPU that a task takes with and without counting. */
function costOfCounting(tasks: number) {
  const [counting, without] = [meshWithWorker(), meshWithWorker()];
  const { metrics: silent } = without.mesh.registry;
  silent.count = () => {};
  silent.observe = () => {};
  const costs: { readonly counting: number; readonly without: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [first, second] = round % 2 === 0 ? [counting, without] : [without, counting];
    const [one, other] = [cpuOf(first, tasks), cpuOf(second, tasks)];
    const of =
      first === counting ? { counting: one, without: other } : { counting: other, without: one };
    if (round > 0) costs.push(of); // the first warms up
  }
  const withCounting = median(costs.map((each) => each.counting));
  const difference = median(costs.map((each) => each.counting - each.without));
  return {
    microseconds: round1(withCounting),
    of_counting: round1(difference),
    share: Math.round((1_000 * difference) / withCounting) / 1_000,
  };
}

function meshWithWorker() {
  const mesh = new TestMesh();
  return { mesh, worker: mesh.join(testKey(1), { kinds: ["*"], slots: 1 }) };
}

function cpuOf({ mesh, worker }: { mesh: TestMesh; worker: TestPeer }, tasks: number): number {
  const before = process.cpuUsage();
  for (let n = 0; n < tasks; n++) {
    mesh.submit({ kind: "resize" });
    worker.accept();
    worker.finish(null);
    mesh.advanceClock(1);
  }
  const { user, system } = process.cpuUsage(before);
  mesh.registry.measurements.flush();
  return (user + system) / tasks;
}

/** Milliseconds of CPU of a scrape: for the coordinator, and for the gateway that writes the text. */
function costOfScrape(peers: number, queued: number) {
  const mesh = new TestMesh({ config: { peersMax: 2 * peers } });
  const first = mesh.join(testKey(1), { kinds: ["none"], rttMs: 20 });
  const record = mesh.registry.peers.get(first.id);
  if (record === null) throw new Error("the peer is not there");
  const random = seededRandom(7);
  mesh.registry.transaction(() => {
    for (let n = 1; n < peers; n++) {
      const id = newUuid(random).replaceAll("-", "");
      const rtt = { smoothedMs: n % 300, varianceMs: 1, minMs: 1, samples: 9 };
      mesh.registry.peers.put({ ...record, id, publicKey: id + id, rtt, score: (n % 100) / 100 });
    }
  });
  for (let kind = 0; kind < KINDS; kind++)
    mesh.fillQueue(Math.ceil(queued / KINDS), { kind: `kind-${kind}` });
  const [collects, texts]: [number[], number[]] = [[], []];
  let bytes = 0;
  for (let n = 0; n < SCRAPES; n++) {
    mesh.read("list_kinds", {});
    const collected = cpuMs(() => mesh.run("collect_metrics", {}).metrics);
    const text = cpuMs(() => metricsText(collected.value, "openmetrics"));
    bytes = text.value.length;
    collects.push(collected.ms);
    texts.push(text.ms);
  }
  const [saved] = mesh.rows(`SELECT octet_length(saved) AS bytes FROM metric_counters`);
  return {
    peers,
    queued: mesh.registry.tasks.waiting.length,
    collect_ms: round1(median(collects)),
    text_ms: round1(median(texts)),
    text_bytes: bytes,
    stored_bytes: saved?.["bytes"],
  };
}

function cpuMs<T>(body: () => T): { readonly value: T; readonly ms: number } {
  const before = process.cpuUsage();
  const value = body();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1_000 };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const round1 = (value: number): number => Math.round(10 * value) / 10;
