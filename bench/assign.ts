import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMesh, type MeshProcess } from "../src/cli/mesh-process.ts";
import { connectPeer, controller } from "../src/client/index.ts";
import { startBare } from "./bare.ts";
import type { Bench } from "./bench.ts";

/** From POST to the peer's receipt, one in flight, may take this many times the floor. */
const BAR = 3;
const ROUNDS = 5;
const PER_ROUND = 100;
/** At saturation: callers, and peers with so many slots each. */
const CALLERS = 32;
const PEERS = 4;
const SLOTS = 16;
const SATURATED = 2_000;
/** Of the coordinator: the task is taken, accepted by its peer, done. */
const COMMITS_PER_TASK = 3;

export const assign: Bench = {
  summary:
    "time from POST to the peer's receipt and to the caller's result, beside a bare object's commit and send; tasks per second",
  async run(log, scale) {
    const dir = await mkdtemp(join(tmpdir(), "muster-bench-"));
    const mesh = await startMesh({ dir: join(dir, "mesh"), port: 0 });
    const bare = await startBare(join(dir, "bare"));
    const count = Math.max(10, Math.round(PER_ROUND * scale));
    try {
      const floor = await floorOf(bare.url);
      const given = await assignmentOf(mesh);
      for (let n = 0; n < 50; n++) await Promise.all([floor.once(), given.once()]); // warm
      const floors: number[] = [];
      const receipts: number[] = [];
      const results: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        for (let n = 0; n < count; n++) floors.push(await floor.once());
        for (let n = 0; n < count; n++) {
          const { receiptMs, resultMs } = await given.once();
          receipts.push(receiptMs);
          results.push(resultMs);
        }
        log(`round ${round + 1} of ${ROUNDS}`);
      }
      await given.close();
      const many = Math.max(100, Math.round(SATURATED * scale));
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

/** POST to a bare object that commits one row and sends one frame: until the frame is here. */
async function floorOf(url: string) {
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

/** One task through the mesh, from an idle caller to an idle peer and back. */
async function assignmentOf(mesh: MeshProcess) {
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
  const call = caller(mesh);
  return {
    async once() {
      receipt = Promise.withResolvers();
      const began = performance.now();
      const { id } = (await call("POST", "v1/tasks", { kind: "echo", payload: {} })) as Given;
      const at = await receipt.promise;
      const { state } = (await call("GET", `v1/tasks/${id}?wait=10`)) as Given;
      if (state !== "succeeded") throw new Error(`task ${id} is ${state}`);
      return { receiptMs: at - began, resultMs: performance.now() - began };
    },
    close: () => peer.close(),
  };
}

interface Given {
  readonly id: string;
  readonly state: string;
}

/** The API without the SDK's checks, so that the caller's own work weighs as little as the floor's. */
const caller =
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

/** How often the bare object commits and sends in a second, asked by as many callers. */
const saturateFloor = (url: string, count: number): Promise<number> =>
  perSecond(count, async (next) => {
    while (next()) await (await fetch(bareHttp(url), { method: "POST", body: "{}" })).text();
  });

/** Many callers that each give a task and wait for its result, and what is done in batches, per second. */
async function saturate(mesh: MeshProcess, count: number) {
  const { url, meshKey } = mesh;
  const echo = { echo: (payload: unknown) => payload };
  const peers = Array.from({ length: PEERS }, () =>
    connectPeer({ url, meshKey, slots: SLOTS, handlers: echo }),
  );
  await Promise.all(peers.map(({ ready }) => ready));
  const singly = await perSecond(count, async (next) => {
    const call = caller(mesh);
    while (next()) {
      const { id } = (await call("POST", "v1/tasks", { kind: "echo" })) as Given;
      await call("GET", `v1/tasks/${id}?wait=30`);
    }
  });
  const batched = await inBatches(mesh, count);
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

/** All given in batches of 100, until the last of them has ended. */
async function inBatches({ url, adminToken: token }: MeshProcess, count: number): Promise<number> {
  const client = controller({ url, token });
  const began = performance.now();
  const ids: string[] = [];
  for (let given = 0; given < count; given += 100) {
    const tasks = Array.from({ length: Math.min(100, count - given) }, () => ({ kind: "echo" }));
    for (const one of await client.assignBatch(tasks)) if ("task" in one) ids.push(one.task.id);
  }
  for (const id of ids.toReversed()) await client.wait(id);
  return ids.length / ((performance.now() - began) / 1_000);
}

interface Measured {
  readonly floors: readonly number[];
  readonly receipts: readonly number[];
  readonly results: readonly number[];
  /** Per second: tasks given one by one, tasks given in batches, and what the bare object does. */
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
    `${commits.toFixed(0)} commits and sends/s of the bare object; a task takes ${COMMITS_PER_TASK}`,
  );
  return {
    ok: ratio <= BAR,
    bar: `p50 from POST to receipt, one in flight, within ${BAR} times the floor`,
    per_round: count,
    rounds: ROUNDS,
    floor_ms: both(floors),
    receipt_ms: { ...both(receipts), times_floor: round2(ratio) },
    result_ms: both(results),
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

const both = (values: readonly number[]) => ({
  p50: round2(quantile(values, 0.5)),
  p99: round2(quantile(values, 0.99)),
});

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const round2 = (value: number): number => Math.round(value * 100) / 100;
