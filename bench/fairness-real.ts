import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "../src/base/clock.ts";
import { controller } from "../src/client/index.ts";
import { Closers } from "./assign/closers.ts";
import { median, rounded } from "./assign/quantiles.ts";
import type { Bench } from "./bench.ts";
import { jain } from "./fairness/jain.ts";
import { Backlog, Owner } from "./fairness/owners.ts";
import { startPeers, type Work } from "./fairness/peers-process.ts";
import { startPlainMesh, type PlainMesh } from "./plain/mesh.ts";

/** Owners that always have tasks waiting; the first of them floods. */
const OWNERS = 100;
const FLOOD = 5_000;
/** Tasks that each of the others keeps waiting. */
const BACKLOG = 20;
const QUIET_OWNERS = 5;
/** One of the quiet owners submits a lone task so often. */
const QUIET_INTERVAL_MS = 1_000;
const PROCESSES = 2;
const PEERS_PER_PROCESS = 4;
/** Slots that need not be earned. */
const SLOTS = 4;
const SERVICE_MS = 300;
/** How long the flooding owner has the peers to itself. */
const ALONE_MS = 3_000;
/** The owners arrive together. One task of each of them takes the peers about three service times. */
const FIRST_ROUND_MS = 5_000;
const WINDOW_MS = 60_000;
const LOG_INTERVAL_MS = 10_000;
/** How long the last lone tasks may take to begin. */
const LONE_TIMEOUT_MS = 10_000;
const JAIN_BAR = 0.99;
const QUIET_BAR = 2;

export const fairnessReal: Bench = {
  summary:
    "workerd and peers of the SDK, 100 API tokens, one of which floods: Jain's index of completed tasks, the wait of a quiet owner's lone task; a scale shortens the time",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const closers = new Closers();
    try {
      const mesh = closers.keep(await startPlainMesh({ dir }), (server) => server.stop());
      const figures = await share(mesh, closers, { windowMs: WINDOW_MS * scale, log });
      const ok =
        figures.jain >= JAIN_BAR &&
        figures.least_backlog > 0 &&
        figures.lone_tasks_not_begun === 0 &&
        Math.max(figures.lone_wait.max, figures.lone_wait.in_the_first_round) <= QUIET_BAR;
      return {
        ok,
        bar: `Jain's index of completed tasks at least ${JAIN_BAR} over ${OWNERS} owners that all have tasks waiting; a quiet owner's lone task begins at most ${QUIET_BAR} mean service times after it was accepted, also when all owners arrive together`,
        owners: OWNERS,
        flood: FLOOD,
        peers: PROCESSES * PEERS_PER_PROCESS,
        slots: SLOTS,
        service_ms: SERVICE_MS,
        ...figures,
      };
    } finally {
      await closers.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

interface Measurement {
  readonly windowMs: Millis;
  readonly log: (line: string) => void;
}

async function share(
  { url, adminToken, meshKey }: PlainMesh,
  closers: Closers,
  { windowMs, log }: Measurement,
) {
  const admin = controller({ url, token: adminToken });
  const create = (count: number, label: string) =>
    Promise.all(Array.from({ length: count }, (_, n) => Owner.create(admin, url, `${label} ${n}`)));
  const flooding = await Owner.create(admin, url, "flooding", FLOOD);
  const others = (await create(OWNERS - 1, "owner")).map((owner) => new Backlog(owner, BACKLOG));
  const lone = new LoneTasks(await create(QUIET_OWNERS, "quiet"));
  await flooding.submit(FLOOD);
  log(`${FLOOD} tasks of one owner wait`);

  const backlogs = new Map(others.map((backlog) => [backlog.owner.label, backlog]));
  let failure: unknown = null;
  const onBegan = (work: Work, at: Millis): void => {
    if (work.lone !== null) lone.began(work.lone, at);
    else
      void backlogs
        .get(work.owner)
        ?.began()
        .catch((error: unknown) => (failure ??= error));
  };
  await Promise.all(
    Array.from({ length: PROCESSES }, async (_, n) => {
      const names = Array.from({ length: PEERS_PER_PROCESS }, (_peer, k) => `peer ${n}-${k}`);
      const plan = { url, meshKey, names, slots: SLOTS, serviceMs: SERVICE_MS, seed: n + 1 };
      closers.keep(await startPeers(plan, onBegan), (started) => started.kill());
    }),
  );
  await sleep(ALONE_MS);
  await Promise.all(others.map((backlog) => backlog.fill()));
  log(`all ${OWNERS} owners have tasks waiting`);
  await Promise.all([lone.submitNext(), sleep(FIRST_ROUND_MS)]);
  for (const backlog of others) backlog.resetLeast();

  const from = Date.now();
  for (let nextLog = LOG_INTERVAL_MS; Date.now() < from + windowMs;) {
    await Promise.all([lone.submitNext(), sleep(QUIET_INTERVAL_MS)]);
    if (failure !== null) throw failure;
    if (Date.now() - from < nextLog) continue;
    nextLog += LOG_INTERVAL_MS;
    log(`${Math.round((Date.now() - from) / 1_000)} s: ${lone.begun} lone tasks began`);
  }
  const to = Date.now();
  await lone.allBegan(LONE_TIMEOUT_MS);
  const measured = [flooding, ...others.map(({ owner }) => owner)];
  const completed = await Promise.all(measured.map((owner) => owner.completedBetween(from, to)));
  const total = completed.reduce((sum, count) => sum + count, 0);
  const usedMs = (total + lone.begun) * SERVICE_MS;
  return {
    seconds: (to - from) / 1_000,
    completed: total,
    completed_by_the_flooding_owner: completed[0],
    completed_by_an_owner: { least: Math.min(...completed), most: Math.max(...completed) },
    jain: jain(completed),
    least_backlog: Math.min(...others.map(({ least }) => least)),
    lone_tasks: lone.begun,
    lone_tasks_not_begun: lone.notBegun,
    lone_wait: waitFigures(lone.waitsSince("acceptedAt")),
    lone_wait_with_the_request: waitFigures(lone.waitsSince("sentAt")),
    slots_used: rounded(usedMs / ((to - from) * PROCESSES * PEERS_PER_PROCESS * SLOTS)),
  };
}

interface LoneTask {
  /** Just before the request. */
  readonly sentAt: Millis;
  /** When the mesh accepted it, and when its handler began; null: not yet. */
  acceptedAt: Millis | null;
  begunAt: Millis | null;
}

/** The tasks of owners that have no other task at the time. */
class LoneTasks {
  readonly #owners: readonly Owner[];
  readonly #tasks: LoneTask[] = [];

  constructor(owners: readonly Owner[]) {
    this.#owners = owners;
  }

  get begun(): number {
    return this.#tasks.length - this.notBegun;
  }

  get notBegun(): number {
    return this.#tasks.filter(({ begunAt }) => begunAt === null).length;
  }

  /** How long they waited until their handlers began, in order of submission, in mean service times. */
  waitsSince(start: "sentAt" | "acceptedAt"): readonly number[] {
    return this.#tasks.map((task) => {
      const from = task[start];
      const { begunAt } = task;
      return from === null || begunAt === null ? Number.NaN : (begunAt - from) / SERVICE_MS;
    });
  }

  async submitNext(): Promise<void> {
    const task: LoneTask = { sentAt: Date.now(), acceptedAt: null, begunAt: null };
    const number = this.#tasks.push(task) - 1;
    task.acceptedAt =
      (await this.#owners[number % this.#owners.length]?.submitLone(number)) ?? null;
  }

  began(number: number, at: Millis): void {
    const task = this.#tasks[number];
    if (task !== undefined) task.begunAt = at;
  }

  async allBegan(timeoutMs: Millis): Promise<void> {
    const until = Date.now() + timeoutMs;
    while (this.notBegun > 0 && Date.now() < until) await sleep(100);
  }
}

const waitFigures = ([firstRound = Number.NaN, ...waits]: readonly number[]) => ({
  median: rounded(median(waits)),
  max: rounded(Math.max(...waits)),
  in_the_first_round: rounded(firstRound),
});
