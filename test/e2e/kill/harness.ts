import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toHex } from "../../../src/base/bytes.ts";
import type { Random } from "../../../src/base/clock.ts";
import { generateIdentity, MusterApiError } from "../../../src/client/index.ts";
import type { Task } from "../../../src/client/index.ts";
import { KillableMesh } from "./killable-mesh.ts";

export interface KillPlan {
  readonly tasks: number;
  readonly peers: number;
  readonly peerKills: number;
  readonly serverKills: number;
  /** Cells of the mesh; default: 1. */
  readonly cells?: number;
  readonly random: Random;
  readonly log: (line: string) => void;
}

/** How the tasks ended, and how often each was executed. */
export interface KillReport {
  readonly tasks: number;
  readonly succeeded: number;
  /** Tasks that did not succeed. */
  readonly lost: number;
  /** Tasks with more than one successful attempt, or whose end changed after it was observed. */
  readonly duplicate_commits: number;
  /** Results that no execution of the task recorded. */
  readonly false_results: number;
  readonly executions: number;
  /** Executions beyond the first of each task: the cost of at-least-once execution. */
  readonly duplicate_executions: number;
  readonly attempts: number;
  readonly peer_kills: number;
  readonly server_kills: number;
  readonly seconds: number;
}

const PEER = join(import.meta.dirname, "peer.ts");
const BATCH_SIZE = 50;
/** The test fails when a step takes longer. */
const TIMEOUT_MS = 600_000;

/**
 * Submits tasks to a mesh of real processes while its peers and the mesh are killed with SIGKILL and restarted, waits until
 * all tasks have ended, and compares the tasks in the mesh with the ledgers of the peers.
 */
export async function killTest(plan: KillPlan): Promise<KillReport> {
  const dir = await mkdtemp(join(tmpdir(), "muster-kill-"));
  const mesh = await KillableMesh.start(join(dir, "mesh"), {
    CELLS: String(plan.cells ?? 1),
  });
  const peers = Array.from(
    { length: plan.peers },
    (_, n) => new KillablePeer(join(dir, `${n}.ledger`)),
  );
  const began = performance.now();
  try {
    for (const peer of peers) peer.start(mesh);
    const audit = new Audit(mesh);
    const ids = assignAll(mesh, plan.tasks);
    const kills = runKills(plan, mesh, peers);
    const seen = audit.watch(() => ids);
    const all = await ids;
    await kills;
    plan.log("all kills done");
    await audit.allEnded(all.length);
    await seen;
    const seconds = (performance.now() - began) / 1_000;
    return { ...(await audit.report(all, peers)), ...countKills(plan), seconds };
  } finally {
    for (const peer of peers) peer.stop();
    await mesh.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

const countKills = ({ peerKills, serverKills }: KillPlan) => ({
  peer_kills: peerKills,
  server_kills: serverKills,
});

/** A peer that can be killed and restarted with the same key and ledger. */
class KillablePeer {
  readonly ledger: string;
  readonly #key = toHex(generateIdentity().privateKey);
  #child: ChildProcess | null = null;
  #ended = false;

  constructor(ledger: string) {
    this.ledger = ledger;
  }

  start({ address: { url, meshKey } }: KillableMesh): void {
    if (this.#ended) return;
    this.#child = fork(PEER, [url, meshKey, this.#key, this.ledger], { stdio: "ignore" });
  }

  crash(): void {
    this.#child?.kill("SIGKILL");
  }

  stop(): void {
    this.#ended = true;
    this.crash();
  }
}

/** Submits every task once, in batches that are repeated until the mesh answers; returns the task IDs. */
async function assignAll(mesh: KillableMesh, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let first = 0; first < count; first += BATCH_SIZE) {
    const tasks = Array.from({ length: Math.min(BATCH_SIZE, count - first) }, (_, i) => ({
      kind: "count",
      payload: first + i,
      max_attempts: 20,
      lease_seconds: 5,
      backoff: { first_seconds: 0.1, max_seconds: 1 },
    }));
    const results = await retryUntilAnswered(() =>
      mesh.controller.tasks.submitBatch(tasks, { idempotencyKey: `batch-${first}` }),
    );
    for (const one of results) {
      if ("error" in one) throw new Error(`refused: ${one.error.detail}`);
      ids.push(one.task.id);
    }
  }
  return ids;
}

/** Repeats a request until the mesh, which may be down, answers it. */
async function retryUntilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const transient =
        error instanceof MusterApiError && (error.status === 0 || error.status >= 500);
      if (!transient || Date.now() > until) throw error;
      await sleep(250);
    }
  }
}

/** Kills peers and the mesh at random times; a killed peer restarts within two seconds. */
async function runKills(
  plan: KillPlan,
  mesh: KillableMesh,
  peers: readonly KillablePeer[],
): Promise<void> {
  const { peerKills, serverKills, random } = plan;
  const every = Math.ceil(peerKills / (serverKills + 1));
  for (let kill = 1, servers = 0; kill <= peerKills; kill++) {
    await sleep(100 + random() * 500);
    const peer = peers[Math.floor(random() * peers.length)] as KillablePeer;
    peer.crash();
    setTimeout(() => peer.start(mesh), random() * 2_000);
    if (kill % every === 0 && servers < serverKills) {
      servers++;
      plan.log(`kill ${kill}: the mesh, too`);
      await mesh.crash();
    }
  }
}

class Audit {
  readonly #mesh: KillableMesh;
  /** The observed end time of each ended task. */
  readonly #ends = new Map<string, string>();
  #changed = 0;

  constructor(mesh: KillableMesh) {
    this.#mesh = mesh;
  }

  /** Records the ends of tasks until all tasks are submitted. */
  async watch(given: () => Promise<unknown>): Promise<void> {
    const done = new AbortController();
    void given().then(() => done.abort());
    while (!done.signal.aborted) {
      await this.#observeEnds().catch(() => undefined); // the mesh is down
      await sleep(500);
    }
  }

  async #observeEnds(): Promise<number> {
    let ended = 0;
    for await (const { id, ended_at } of this.#mesh.controller.tasks.list()) {
      if (ended_at === null) continue;
      ended++;
      const before = this.#ends.get(id);
      if (before !== undefined && before !== ended_at) this.#changed++;
      this.#ends.set(id, ended_at);
    }
    return ended;
  }

  async allEnded(count: number): Promise<void> {
    const until = Date.now() + TIMEOUT_MS;
    while ((await retryUntilAnswered(() => this.#observeEnds())) < count) {
      if (Date.now() > until) return; // the report counts the lost tasks
      await sleep(500);
    }
  }

  async report(ids: readonly string[], peers: readonly KillablePeer[]) {
    const executed = await executions(peers);
    const tasks: Task[] = [];
    for (const id of ids)
      tasks.push(await retryUntilAnswered(() => this.#mesh.controller.tasks.get(id)));
    const won = (task: Task) => task.attempts.filter(({ state }) => state === "succeeded");
    const succeeded = tasks.filter(({ state }) => state === "succeeded");
    const nonce = ({ result }: Task) => (result as { nonce?: string } | null)?.nonce ?? "";
    const counted = tasks.map(({ id }) => executed.get(id)?.size ?? 0);
    return {
      tasks: tasks.length,
      succeeded: succeeded.length,
      lost: new Set(ids).size - succeeded.length,
      duplicate_commits: this.#changed + tasks.filter((task) => won(task).length > 1).length,
      false_results: succeeded.filter(
        (task) =>
          executed.get(task.id)?.has(nonce(task)) !== true ||
          (task.result as { payload?: unknown }).payload !== task.payload,
      ).length,
      executions: counted.reduce((sum, n) => sum + n, 0),
      duplicate_executions: counted.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
      attempts: tasks.reduce((sum, { attempts }) => sum + attempts.length, 0),
    };
  }
}

/** The nonces of the executions of each task, from the ledgers of the peers. */
async function executions(peers: readonly KillablePeer[]): Promise<Map<string, Set<string>>> {
  const executed = new Map<string, Set<string>>();
  for (const { ledger } of peers) {
    const text = await readFile(ledger, "utf8").catch(() => ""); // the peer has not executed any task
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const [task = "", nonce = ""] = line.split(" ");
      executed.set(task, (executed.get(task) ?? new Set()).add(nonce));
    }
  }
  return executed;
}
