import { reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi, type MockInstance } from "vitest";
import { Coordinator } from "../../durable/coordinator.ts";
import { PeerSession } from "../../durable/peer-session.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { api, coordinatorStub, until } from "./api.ts";
import { earnSlots } from "./earn-slots.ts";
import { NoisePeer } from "./noise-peer.ts";

/** What Cloudflare bills for a task, as docs/performance.md says: rows written (an index entry is one), calls between objects. */

const TASKS = 32;
const SLOTS = 16;

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

interface Statement {
  readonly query: string;
  readonly cursor: Pick<SqlStorageCursor<Record<string, SqlStorageValue>>, "rowsWritten">;
}

/** Records the statements of the coordinator from now on. */
async function recordStatements(): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  await runInDurableObject(coordinatorStub(), (_, { storage }) => {
    const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
    const exec = Reflect.get(sql, "exec");
    vi.spyOn(sql, "exec").mockImplementation(function (this: SqlStorage, query, ...bindings) {
      const cursor = exec.call(this, query, ...bindings);
      statements.push({ query, cursor });
      return cursor;
    });
  });
  return statements;
}

const rowsOf = (statements: readonly Statement[]): number =>
  statements.reduce((sum, { cursor }) => sum + cursor.rowsWritten, 0);

/**
 * Returns once the stored choices are written, and with them everything else that is written behind. A task has a further
 * choice if its offer lapsed on a slow machine.
 */
const writtenBehind = (statements: readonly Statement[], choices: number) =>
  until(
    async () => statements.filter(({ query }) => query.startsWith("INSERT INTO choices")).length,
    (written) => written >= choices,
  );

type Call = Parameters<Coordinator["execute"]>;

const isOfTasks = ([, , commands]: Call): boolean =>
  commands.some(({ name }) => name.endsWith("_task"));

/** How many calls were of tasks. On a slow machine the session also tells what it observes of its peer meanwhile. */
const ofTasks = (calls: MockInstance<Coordinator["execute"]>): number =>
  calls.mock.calls.filter(isOfTasks).length;

/**
 * Records the calls of the coordinator, and begins none of tasks before the session has received so many frames since. What gathers
 * depends on what arrives while a call is under way, and thus on the machine: this way all answers of a round do.
 */
function recordCallsAfter(received: () => number): MockInstance<Coordinator["execute"]> {
  const execute = Reflect.get(Coordinator.prototype, "execute");
  const frames = vi.spyOn(PeerSession.prototype, "webSocketMessage");
  return vi.spyOn(Coordinator.prototype, "execute").mockImplementation(async function (
    this: Coordinator,
    ...call: Call
  ) {
    if (isOfTasks(call))
      await until(
        async () => frames.mock.calls.length,
        (count) => count >= received(),
      );
    return execute.apply(this, call);
  });
}

async function nextOffer(peer: NoisePeer): Promise<Pick<TaskOffer, "task_id" | "fence">> {
  const { payload } = await peer.readType("task_offer");
  const { task_id, fence } = payload as unknown as TaskOffer;
  return { task_id, fence };
}

it("a task that is submitted and awaited in one request costs four calls between objects and 18 rows", async () => {
  const peer = await NoisePeer.join({ hello: { slots: SLOTS } });
  await earnSlots(peer.keys.id, SLOTS);
  const statements = await recordStatements();
  const calls = vi.spyOn(Coordinator.prototype, "execute");
  const waits = vi.spyOn(Coordinator.prototype, "submitAndWait");
  const deliveries = vi.spyOn(PeerSession.prototype, "deliver");
  for (let count = 0; count < TASKS; count++) {
    const ended = api("POST", "/v1/tasks?wait=30", { kind: "echo" });
    const attempt = await nextOffer(peer);
    peer.send("task_accept", attempt);
    // The acceptance is answered before the result is sent: the attempt is changed twice.
    await until(
      async () => ofTasks(calls),
      (made) => made === 4 * count + 2,
    );
    peer.send("task_result", { ...attempt, ok: true, result: null });
    expect((await ended).body).toMatchObject({ state: "succeeded" });
  }
  await writtenBehind(statements, TASKS);
  // `submitAndWait` is one call, and calls `execute` twice in its own object: for the task, and once it has ended.
  expect(waits).toHaveBeenCalledTimes(TASKS);
  expect(ofTasks(calls)).toBe(4 * TASKS);
  expect(deliveries).toHaveBeenCalledTimes(TASKS);
  // Besides these 18 rows there are some that are written once for many tasks (counters, alarms).
  expect(Math.floor(rowsOf(statements) / TASKS)).toBe(18);
});

it("tasks that are answered together share their calls, and cost 14 rows when accepted and finished together", async () => {
  const peer = await NoisePeer.join({ hello: { slots: SLOTS } });
  await earnSlots(peer.keys.id, SLOTS);
  const statements = await recordStatements();
  let sent = 0;
  const calls = recordCallsAfter(() => sent);
  // A kind of its own: a reset sometimes leaves the rows of the test before, whose tasks must not be counted.
  const batch = Array.from({ length: TASKS }, () => ({ kind: "batched" }));
  await api("POST", "/v1/task-batches", { tasks: batch });
  for (let round = 0; round < TASKS / SLOTS; round++) {
    const attempts = [];
    for (let slot = 0; slot < SLOTS; slot++) attempts.push(await nextOffer(peer));
    for (const attempt of attempts) {
      peer.send("task_accept", attempt);
      peer.send("task_result", { ...attempt, ok: true, result: null });
      sent += 2;
    }
  }
  await until(
    async () => (await api("GET", "/v1/tasks?kind=batched&state=succeeded&limit=100")).body.tasks,
    (tasks) => Array.isArray(tasks) && tasks.length === TASKS,
  );
  await writtenBehind(statements, TASKS);
  const submissions = 1;
  const reads = calls.mock.calls.filter(([, , [command]]) => command?.name === "list_tasks").length;
  expect(calls.mock.calls.length - submissions - reads).toBeLessThan(TASKS);
  expect(rowsOf(statements) / TASKS).toBeGreaterThanOrEqual(13);
  expect(rowsOf(statements) / TASKS).toBeLessThan(18);
});
