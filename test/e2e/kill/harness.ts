import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toHex } from "../../../src/base/bytes.ts";
import type { Random } from "../../../src/base/clock.ts";
import { startMesh, type MeshProcess } from "../../../src/cli/mesh-process.ts";
import { freePort } from "../../../src/cli/ports.ts";
import { signalGroup } from "../../../src/cli/process-group.ts";
import { controller, generateIdentity, MusterApiError } from "../../../src/client/index.ts";
import type { TaskView } from "../../../src/protocol/http.ts";

export interface KillPlan {
  readonly tasks: number;
  readonly peers: number;
  readonly peerKills: number;
  readonly serverKills: number;
  readonly random: Random;
  readonly log: (line: string) => void;
}

/** What became of the tasks, and how often each was begun. */
export interface KillReport {
  readonly tasks: number;
  readonly succeeded: number;
  /** Ended otherwise, or not at all. */
  readonly lost: number;
  /** Tasks with more than one attempt that succeeded, or whose end or result was seen to change. */
  readonly duplicate_commits: number;
  /** Results that no execution wrote down, or of another task. */
  readonly false_results: number;
  readonly executions: number;
  /** Executions beyond the first of their task: what at-least-once costs. */
  readonly duplicate_executions: number;
  readonly attempts: number;
  readonly peer_kills: number;
  readonly server_kills: number;
  readonly seconds: number;
}

const PEER = join(import.meta.dirname, "peer.ts");
const BATCH = 50;
/** What never ends fails the test. */
const PATIENCE_MS = 600_000;

/**
 * Gives tasks to a mesh of real processes while its peers and its server are killed without warning and started again,
 * waits until all have ended, and audits what stands in the mesh against what the peers wrote down.
 */
export async function killTest(plan: KillPlan): Promise<KillReport> {
  const dir = await mkdtemp(join(tmpdir(), "muster-kill-"));
  const mesh = await Server.start(join(dir, "mesh"));
  const crew = Array.from({ length: plan.peers }, (_, n) => new Worker(join(dir, `${n}.ledger`)));
  const began = performance.now();
  try {
    for (const worker of crew) worker.start(mesh);
    const audit = new Audit(mesh);
    const ids = giveAll(mesh, plan.tasks);
    const kills = killAll(plan, mesh, crew);
    const seen = audit.watch(() => ids);
    const all = await ids;
    await kills;
    plan.log("all kills done");
    await audit.allEnded(all.length);
    await seen;
    const seconds = (performance.now() - began) / 1_000;
    return { ...(await audit.report(all, crew)), ...countKills(plan), seconds };
  } finally {
    for (const worker of crew) worker.stop();
    await mesh.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

const countKills = ({ peerKills, serverKills }: KillPlan) => ({
  peer_kills: peerKills,
  server_kills: serverKills,
});

/** The mesh, which may be killed and comes back at the same address on the same disk. */
class Server {
  readonly dir: string;
  readonly port: number;
  #mesh: MeshProcess;

  private constructor(dir: string, port: number, mesh: MeshProcess) {
    this.dir = dir;
    this.port = port;
    this.#mesh = mesh;
  }

  static async start(dir: string): Promise<Server> {
    const port = await freePort("127.0.0.1");
    return new Server(dir, port, await startMesh({ dir, port }));
  }

  get address() {
    const { url, meshKey } = this.#mesh;
    return { url, meshKey };
  }

  get controller() {
    const { url, adminToken: token } = this.#mesh;
    return controller({ url, token });
  }

  async crash(): Promise<void> {
    signalGroup(this.#mesh.pid ?? 0, "SIGKILL");
    await this.#mesh.stop(); // what is left to do is to give the folder free
    this.#mesh = await startMesh({ dir: this.dir, port: this.port });
  }

  stop = (): Promise<void> => this.#mesh.stop();
}

/** One peer, which keeps its key and its ledger over all its lives. */
class Worker {
  readonly ledger: string;
  readonly #key = toHex(generateIdentity().privateKey);
  #child: ChildProcess | null = null;
  #ended = false;

  constructor(ledger: string) {
    this.ledger = ledger;
  }

  start({ address: { url, meshKey } }: Server): void {
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

/** Gives every task once, in batches that are sent again until the mesh has answered; returns their IDs. */
async function giveAll(mesh: Server, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let first = 0; first < count; first += BATCH) {
    const tasks = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => ({
      kind: "count",
      payload: first + i,
      max_attempts: 20,
      lease_seconds: 5,
      backoff: { first_seconds: 0.1, max_seconds: 1 },
    }));
    const results = await patiently(() =>
      mesh.controller.assignBatch(tasks, { idempotencyKey: `batch-${first}` }),
    );
    for (const one of results) {
      if ("error" in one) throw new Error(`refused: ${one.error.detail}`);
      ids.push(one.task.id);
    }
  }
  return ids;
}

/** Until the mesh answers: it may be dead just now. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
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

/** Kills peers and the server in turn at random moments; a killed peer is back within two seconds. */
async function killAll(plan: KillPlan, mesh: Server, crew: readonly Worker[]): Promise<void> {
  const { peerKills, serverKills, random } = plan;
  const every = Math.ceil(peerKills / (serverKills + 1));
  for (let kill = 1, servers = 0; kill <= peerKills; kill++) {
    await sleep(100 + random() * 500);
    const worker = crew[Math.floor(random() * crew.length)] as Worker;
    worker.crash();
    setTimeout(() => worker.start(mesh), random() * 2_000);
    if (kill % every === 0 && servers < serverKills) {
      servers++;
      plan.log(`kill ${kill}: the server, too`);
      await mesh.crash();
    }
  }
}

class Audit {
  readonly #mesh: Server;
  /** When each task that was seen ended had ended. */
  readonly #ends = new Map<string, string>();
  #changed = 0;

  constructor(mesh: Server) {
    this.#mesh = mesh;
  }

  /** Notes ends as they are seen, until all tasks are given. */
  async watch(given: () => Promise<unknown>): Promise<void> {
    const done = new AbortController();
    void given().then(() => done.abort());
    while (!done.signal.aborted) {
      await this.#look().catch(() => undefined); // the server is dead just now
      await sleep(500);
    }
  }

  async #look(): Promise<number> {
    let ended = 0;
    for await (const { id, ended_at } of this.#mesh.controller.tasks()) {
      if (ended_at === null) continue;
      ended++;
      const before = this.#ends.get(id);
      if (before !== undefined && before !== ended_at) this.#changed++;
      this.#ends.set(id, ended_at);
    }
    return ended;
  }

  async allEnded(count: number): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while ((await patiently(() => this.#look())) < count) {
      if (Date.now() > until) return; // the report says how many are lost
      await sleep(500);
    }
  }

  async report(ids: readonly string[], crew: readonly Worker[]) {
    const begun = await executions(crew);
    const tasks: TaskView[] = [];
    for (const id of ids) tasks.push(await patiently(() => this.#mesh.controller.task(id)));
    const won = (task: TaskView) => task.attempts.filter(({ state }) => state === "succeeded");
    const succeeded = tasks.filter(({ state }) => state === "succeeded");
    const nonce = ({ result }: TaskView) => (result as { nonce?: string } | null)?.nonce ?? "";
    const counted = tasks.map(({ id }) => begun.get(id)?.size ?? 0);
    return {
      tasks: tasks.length,
      succeeded: succeeded.length,
      lost: new Set(ids).size - succeeded.length,
      duplicate_commits: this.#changed + tasks.filter((task) => won(task).length > 1).length,
      false_results: succeeded.filter(
        (task) =>
          begun.get(task.id)?.has(nonce(task)) !== true ||
          (task.result as { payload?: unknown }).payload !== task.payload,
      ).length,
      executions: counted.reduce((sum, n) => sum + n, 0),
      duplicate_executions: counted.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
      attempts: tasks.reduce((sum, { attempts }) => sum + attempts.length, 0),
    };
  }
}

/** What the peers wrote down: for each task the nonces of its executions. */
async function executions(crew: readonly Worker[]): Promise<Map<string, Set<string>>> {
  const begun = new Map<string, Set<string>>();
  for (const { ledger } of crew) {
    const text = await readFile(ledger, "utf8").catch(() => ""); // it never did anything
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const [task = "", nonce = ""] = line.split(" ");
      begun.set(task, (begun.get(task) ?? new Set()).add(nonce));
    }
  }
  return begun;
}
