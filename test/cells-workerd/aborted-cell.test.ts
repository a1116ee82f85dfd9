import { reset, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, expect, it } from "vitest";
import { toHex, type Bytes } from "../../src/base/bytes.ts";
import { cellObjectName } from "../../src/cells/object-name.ts";
import { cellOfTask } from "../../src/cells/task-cell.ts";
import { connectPeer } from "../../src/client/index.ts";
import { newKeyPair } from "../../src/crypto/key-pairs.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { TaskView } from "../../src/protocol/http.ts";
import { api, until } from "../durable/api.ts";
import { HOST, MESH_KEYS } from "../durable/noise-peer.ts";
import { sdkPlatform } from "../durable/sdk-socket.ts";

afterEach(async () => {
  await reset();
});

const CELLS = 4;
const TASKS = 80;
/** Tasks that are submitted at the same time. */
const WAVE = 20;
/** The cell whose object is aborted. */
const ABORTED = 2;

it(
  "CE145 a cell's object that is aborted under load goes on with its tasks; those of other cells never wait for it, and each task ends once",
  { timeout: 180_000 },
  async () => {
    const executions = new Map<string, number>();
    const keys = Array.from({ length: 24 }, () => newKeyPair(platformRandom));
    const peers = keys.map(({ privateKey }) => worker(privateKey, executions));
    try {
      for (const { id } of keys)
        await until(
          async () => (await api("GET", `/v1/peers/${id}`)).body["state"],
          (state) => state === "active",
        );
      const ids: string[] = [];
      for (let wave = 0; wave < TASKS / WAVE; wave++) {
        const submitted = Array.from({ length: WAVE }, (_, at) => submit(wave * WAVE + at));
        await abort(ABORTED);
        ids.push(...(await Promise.all(submitted)));
      }
      expect(new Set(ids.map(cellOfTask)).size).toBe(CELLS);
      const ended = await Promise.all(ids.map(end));
      expect(ended.map(({ state }) => state)).toEqual(ids.map(() => "succeeded"));
      for (const task of ended) {
        const won = task.attempts.filter(({ state }) => state === "succeeded");
        expect([task.id, won.length]).toEqual([task.id, 1]);
        expect(task.result).toBe(task.payload);
      }
      // Repeated under their keys, all lead to the tasks of before.
      expect(await Promise.all(ids.map((_, n) => submit(n)))).toEqual(ids);
      expect([...executions.keys()].toSorted()).toEqual(ids.toSorted());
    } finally {
      await Promise.all(peers.map((peer) => peer.close()));
    }
  },
);

/** Submits a task under its key, again while its cell does not answer. Returns its ID. */
const submit = async (n: number): Promise<string> => {
  const task = { kind: "count", payload: n, lease_seconds: 5 };
  const { body } = await until(
    () => api<{ id: string }>("POST", "/v1/tasks", task, { "Idempotency-Key": `task ${n}` }),
    ({ status }) => status === 200 || status === 202,
  );
  return body.id;
};

/** A peer of the SDK, which counts how often it has executed each task. */
function worker(
  privateKey: Bytes,
  executions: Map<string, number>,
): ReturnType<typeof connectPeer> {
  return connectPeer({
    url: `http://${HOST}`,
    meshKey: toHex(MESH_KEYS.publicKey),
    privateKey: toHex(privateKey),
    slots: 2,
    handlers: {
      count: async (payload, { taskId }) => {
        executions.set(taskId, (executions.get(taskId) ?? 0) + 1);
        return payload;
      },
    },
    platform: sdkPlatform((url, init) => exports.default.fetch(new Request(url, init))),
  });
}

/** Aborts the object of a cell, as the platform does: its memory is lost, and calls that are under way fail. */
async function abort(cell: number): Promise<void> {
  const stub = env.COORDINATOR.get(env.COORDINATOR.idFromName(cellObjectName(cell)));
  await runInDurableObject(stub, (_, ctx) => ctx.abort("aborted by a test")).catch(() => {});
}

/** A task once it has ended. */
const end = (id: string): Promise<TaskView> =>
  until(
    async () => (await api<TaskView>("GET", `/v1/tasks/${id}?wait=5`)).body,
    ({ ended_at: endedAt }) => endedAt !== null && endedAt !== undefined,
  );
