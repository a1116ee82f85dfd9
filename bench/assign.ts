import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMesh, type MeshProcess } from "../src/cli/mesh-process.ts";
import { connectPeer, controller } from "../src/client/index.ts";
import { startBareWorker } from "./bare.ts";
import type { Bench } from "./bench.ts";

/** The time from POST to the peer's receipt, with one task in flight, may be this many times the floor. */
const BAR = 3;
const ROUNDS = 5;
const PER_ROUND = 100;
/** At saturation: the number of callers and peers, and the slots of each peer. */
const CALLERS = 32;
const PEERS = 4;
const SLOTS = 16;
const SATURATION_TASKS = 2_000;
/** The coordinator commits when it accepts the task, when its peer accepts it, and when it ends. */
const COMMITS_PER_TASK = 3;

export const assign: Bench = {
  summary:
    "time from POST to the peer's receipt and to the caller's result, compared with a bare object that commits and sends; tasks per second",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const mesh = await startMesh({ dir: join(dir, "mesh"), port: 0 });
    const bare = await startBareWorker(join(dir, "bare"));
    const count = Math.max(10, Math.round(PER_ROUND * scale));
    try {
      const floor = await connectToFloor(bare.url);
      const assignment = await connectToMesh(mesh);
      for (let n = 0; n < 50; n++) await Promise.all([floor.once(), assignment.once()]); // warm up
      const floors: number[] = [];
      const receipts: number[] = [];
      const results: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        for (let n = 0; n < count; n++) floors.push(await floor.once());
        for (let n = 0; n < count; n++) {
          const { receiptMs, resultMs } = await assignment.once();
          receipts.push(receiptMs);
          results.push(resultMs);
        }
        log(`round ${round + 1} of ${ROUNDS}`);
      }
      await assignment.close();
      const many = Math.max(100, Math.round(SATURATION_TASKS * scale));
      const commits = await saturateFloor(bare.url, many);
      floor.close();
      const saturated = { ...(await saturate(mesh, many)), commits };
      return report({ floors, receipts, results, saturated }, count, log);
    } finally {
      await mesh.stop();
      await bare.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** The time from a POST to a bare object, which commits one row and sends one frame, until the frame arrives. */
async function connectToFloor(url: string) {
  const socket = new WebSocket(`${url}/ledger`);
  await once(socket, "open");
  const http = bareHttp(url);
  return {
    async once(): Promise<number> {
      const frame = once(socket, "message").then(() => performance.now());
      const began = performance.now();
      const response = await fetch(http, { method: "POST", body: "{}" });
      await response.text();
      return (await frame) - began;
    },
    close: () => socket.close(),
  };
}

const bareHttp = (url: string): string => `${url.replace("ws", "http")}/ledger`;

/** The time of one task through the mesh, from an idle caller to an idle peer and back. */
async function connectToMesh(mesh: MeshProcess) {
  let receipt = Promise.withResolvers<number>();
  const { url, meshKey } = mesh;
  const peer = connectPeer({
    url,
    meshKey,
    slots: 2,
    handlers: {
      echo: (payload) => {
        receipt.resolve(performance.now());
        return payload;
      },
    },
  });
  await peer.ready;
  const call = apiCaller(mesh);
  return {
    async once() {
      receipt = Promise.withResolvers();
      const began = performance.now();
      const { id } = (await call("POST", "v1/tasks", { kind: "echo", payload: {} })) as TaskAnswer;
      const at = await receipt.promise;
      const { state } = (await call("GET", `v1/tasks/${id}?wait=10`)) as TaskAnswer;
      if (state !== "succeeded") throw new Error(`task ${id} is ${state}`);
      return { receiptMs: at - began, resultMs: performance.now() - began };
    },
    close: () => peer.close(),
  };
}

interface TaskAnswer {
  readonly id: string;
  readonly state: string;
}

/** Calls the API without the checks of the SDK, so that the caller does as little work as that of the floor. */
const apiCaller =
  ({ url, adminToken }: MeshProcess) =>
  async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return response.json();
  };

/** How often per second the bare object commits and sends, with the same number of callers. */
const saturateFloor = (url: string, count: number): Promise<number> =>
  perSecond(count, async (next) => {
    while (next()) await (await fetch(bareHttp(url), { method: "POST", body: "{}" })).text();
  });

/** Tasks per second: of callers that each submit one task and wait for its result, and in batches. */
async function saturate(mesh: MeshProcess, count: number) {
  const { url, meshKey } = mesh;
  const echo = { echo: (payload: unknown) => payload };
  const peers = Array.from({ length: PEERS }, () =>
    connectPeer({ url, meshKey, slots: SLOTS, handlers: echo }),
  );
  await Promise.all(peers.map(({ ready }) => ready));
  const singly = await perSecond(count, async (next) => {
    const call = apiCaller(mesh);
    while (next()) {
      const { id } = (await call("POST", "v1/tasks", { kind: "echo" })) as TaskAnswer;
      await call("GET", `v1/tasks/${id}?wait=30`);
    }
  });
  const batched = await submitInBatches(mesh, count);
  await Promise.all(peers.map((peer) => peer.close()));
  return { singly, batched };
}

async function perSecond(
  count: number,
  lane: (next: () => boolean) => Promise<void>,
): Promise<number> {
  let left = count;
  const began = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, () => lane(() => left-- > 0)));
  return count / ((performance.now() - began) / 1_000);
}

/** Submits the tasks in batches of 100 and waits until all have ended; returns tasks per second. */
async function submitInBatches(
  { url, adminToken: token }: MeshProcess,
  count: number,
): Promise<number> {
  const client = controller({ url, token });
  const began = performance.now();
  const ids: string[] = [];
  for (let given = 0; given < count; given += 100) {
    const tasks = Array.from({ length: Math.min(100, count - given) }, () => ({ kind: "echo" }));
    for (const one of await client.tasks.submitBatch(tasks))
      if ("task" in one) ids.push(one.task.id);
  }
  for (const id of ids.toReversed()) await client.tasks.wait(id);
  return ids.length / ((performance.now() - began) / 1_000);
}

interface Measured {
  readonly floors: readonly number[];
  readonly receipts: readonly number[];
  readonly results: readonly number[];
  /** Per second: tasks submitted one by one, tasks submitted in batches, commits of the bare object. */
  readonly saturated: {
    readonly singly: number;
    readonly batched: number;
    readonly commits: number;
  };
}

function report({ floors, receipts, results, saturated }: Measured, count: number, log: Log) {
  const ratio = quantile(receipts, 0.5) / quantile(floors, 0.5);
  for (const [name, values] of Object.entries({
    "floor (commit and send)": floors,
    "POST to receipt": receipts,
    "POST to result": results,
  })) {
    const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)];
    log(`${name.padEnd(24)} p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`);
  }
  log(`receipt at ${ratio.toFixed(2)} times the floor`);
  const [singly, batched, commits] = [saturated.singly, saturated.batched, saturated.commits];
  log(`${singly.toFixed(0)} tasks/s singly, ${batched.toFixed(0)} in batches`);
  log(
    `${commits.toFixed(0)} commits and sends/s of the bare object; a task needs ${COMMITS_PER_TASK}`,
  );
  return {
    ok: ratio <= BAR,
    bar: `p50 from POST to receipt, one in flight, within ${BAR} times the floor`,
    per_round: count,
    rounds: ROUNDS,
    floor_ms: quantiles(floors),
    receipt_ms: { ...quantiles(receipts), times_floor: round2(ratio) },
    result_ms: quantiles(results),
    saturation: {
      callers: CALLERS,
      peers: PEERS,
      slots: SLOTS,
      tasks_per_second: Math.round(singly),
      tasks_per_second_in_batches: Math.round(batched),
      floor_commits_per_second: Math.round(commits),
      commits_per_task: COMMITS_PER_TASK,
    },
  };
}

type Log = (line: string) => void;

const quantiles = (values: readonly number[]) => ({
  p50: round2(quantile(values, 0.5)),
  p99: round2(quantile(values, 0.99)),
});

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const round2 = (value: number): number => Math.round(value * 100) / 100;
