import { expect } from "vitest";
import { exactJson } from "../../src/base/json-text/json-text.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Task } from "../../src/tasks/task.ts";
import { anAttempt, aTask } from "./records.ts";
import type { RegistryCase } from "./registry-case.ts";

const T = 1_767_225_600_000;

/** The contract of the tables of tasks and attempts. */
export const TASK_TABLES: readonly RegistryCase[] = [
  {
    name: "an inserted task is read back unchanged, and an update changes only its life cycle",
    run(open) {
      const { tasks } = openRegistry(open());
      const task = aTask();
      tasks.insert(task);
      expect(tasks.get(task.id)).toEqual(task);
      expect(() => tasks.insert(task)).toThrow();
      const life = {
        state: "succeeded",
        notBefore: T + 1,
        endedAt: T + 2,
        fence: 7,
        attemptsUsed: 3,
        leaseUntil: T + 3,
        prefetched: true,
        peerId: "somebody",
        progress: 0.25,
        message: "a quarter é",
        result: exactJson('{"text":"\\u0000é😀","list":[null, -0.50,true]}'),
        error: "line\nbreak é",
      } satisfies Partial<Task>;
      const fixed: Partial<Task> = {
        kind: "other",
        payload: exactJson("0"),
        priority: 99,
        maxAttempts: 9,
        owner: "x",
      };
      tasks.update({ ...task, ...fixed, ...life });
      expect(tasks.get(task.id)).toEqual({ ...task, ...life });
      expect(tasks.get("no such task")).toBeNull();
    },
  },
  {
    name: "a task that begins anew also gets another deadline, other attempts and another position",
    run(open) {
      const { tasks } = openRegistry(open());
      const ended = aTask({ state: "failed", endedAt: T + 9, peerId: null, leaseUntil: null });
      tasks.insert(ended);
      expect(tasks.waiting.length).toBe(0);
      const changes = {
        state: "queued",
        endedAt: null,
        deadlineAt: T + 99,
        maxAttempts: 17,
        retries: 3,
        queuePosition: T + 10,
        notBefore: T + 10,
        attemptsUsed: 0,
        fence: 8,
        error: null,
      } satisfies Partial<Task>;
      tasks.restart({ ...ended, ...changes });
      expect(tasks.get(ended.id)).toEqual({ ...ended, ...changes });
      expect(tasks.waiting.queued(ended, T + 10, 9)).toMatchObject([
        { id: ended.id, queuePosition: T + 10 },
      ]);
    },
  },
  {
    name: "tasks before a given one are listed newest first, filtered by state, kind and owner",
    run(open) {
      const { tasks } = openRegistry(open());
      for (const id of ["a", "b", "c"]) tasks.insert(aTask({ id }));
      tasks.insert(aTask({ id: "d", kind: "other", state: "failed", owner: "token" }));
      const all = tasks.list({ limit: 9, owner: null });
      expect(all.map(({ id }) => id)).toEqual(["d", "c", "b", "a"]);
      const ids = (filter: Omit<Parameters<typeof tasks.list>[0], "limit">) =>
        tasks.list({ limit: 2, ...filter }).map(({ id }) => id);
      expect(ids({ owner: null })).toEqual(["d", "c"]);
      expect(ids({ owner: null, before: all[1]?.seq })).toEqual(["b", "a"]);
      expect(ids({ owner: null, state: "failed" })).toEqual(["d"]);
      expect(ids({ owner: null, kind: "other" })).toEqual(["d"]);
      expect(ids({ owner: "token" })).toEqual(["d"]);
    },
  },
  {
    name: "tasks are also filtered by webhook source, peer and creation time",
    run(open) {
      const { tasks } = openRegistry(open());
      tasks.insert(aTask({ id: "a", createdAt: T, peerId: "p" }));
      tasks.insert(aTask({ id: "b", createdAt: T + 1, source: "webhook:ci" }));
      tasks.insert(aTask({ id: "c", createdAt: T + 2, peerId: "q" }));
      const ids = (filter: Omit<Parameters<typeof tasks.list>[0], "limit" | "owner">) =>
        tasks.list({ limit: 9, owner: null, ...filter }).map(({ id }) => id);
      expect(ids({ source: "webhook:ci" })).toEqual(["b"]);
      expect(ids({ peerId: "p" })).toEqual(["a"]);
      expect(ids({ createdAfter: T })).toEqual(["c", "b"]);
      expect(ids({ createdBefore: T + 2, createdAfter: T })).toEqual(["b"]);
    },
  },
  {
    name: "prefetched tasks are listed in queue order",
    run(open) {
      const { tasks } = openRegistry(open());
      tasks.insert(
        aTask({
          id: "late",
          queuePosition: T,
          prefetched: true,
          state: "leased",
          leaseUntil: T,
          peerId: "p",
        }),
      );
      tasks.insert(
        aTask({
          id: "soon",
          queuePosition: T - 1,
          prefetched: true,
          state: "leased",
          leaseUntil: T,
        }),
      );
      tasks.insert(aTask({ id: "begun", state: "running" }));
      expect(tasks.waiting.prefetched(aTask(), 9)).toMatchObject([
        { id: "soon" },
        { id: "late", peerId: "p" },
      ]);
      expect(tasks.waiting.prefetched(aTask(), 1)).toHaveLength(1);
    },
  },
  {
    name: "an attempt is found by its fence, and a reopened attempt continues",
    run(open) {
      const { attempts } = openRegistry(open());
      attempts.insert(anAttempt({ fence: 2 }));
      attempts.end("t", 2, "lost", T, "silence");
      expect(attempts.get("t", 1)).toBeNull();
      expect(attempts.get("t", 2)).toMatchObject({ state: "lost", error: "silence", endedAt: T });
      attempts.reopen("t", 2, T + 1);
      const resumed = { state: "running", error: null, endedAt: null, begunAt: T + 1 };
      expect(attempts.get("t", 2)).toMatchObject(resumed);
    },
  },
  {
    name: "dispatchable tasks are the queued ones whose backoff is over, by priority and then by age",
    run(open) {
      const { tasks } = openRegistry(open());
      tasks.insert(aTask({ id: "old" }));
      tasks.insert(aTask({ id: "new" }));
      tasks.insert(aTask({ id: "urgent", queuePosition: T - 1 }));
      tasks.insert(aTask({ id: "resting", notBefore: T + 1 }));
      tasks.insert(aTask({ id: "running", state: "running" }));
      tasks.insert(aTask({ id: "other", kind: "another" }));
      tasks.insert(aTask({ id: "picky", requirements: { capabilities: [] } }));
      const waiting = (now: number, limit: number) =>
        tasks.waiting.queued(aTask(), now, limit).map(({ id }) => id);
      expect(waiting(T, 9)).toEqual(["urgent", "old", "new"]);
      expect(waiting(T, 2)).toEqual(["urgent", "old"]);
      expect(waiting(T + 1, -1)).toEqual(["urgent", "old", "new", "resting"]);
      expect(tasks.waiting.length).toBe(6);
    },
  },
  {
    name: "each distinct requirement of the queued tasks is listed once, also for tasks of an earlier version",
    run(open) {
      const { tasks } = openRegistry(open());
      const asked = (of: typeof tasks) =>
        [...of.waiting.shapes()].map(({ kind }) => kind).toSorted();
      expect(asked(tasks)).toEqual([]);
      for (const [n, kind] of ["a", "a", "b"].entries()) tasks.insert(aTask({ id: `${n}`, kind }));
      tasks.insert(
        aTask({ id: "held", kind: "c", prefetched: true, state: "leased", leaseUntil: T }),
      );
      tasks.insert(aTask({ id: "runs", kind: "d", state: "running" }));
      expect(asked(tasks)).toEqual(["a", "b", "c"]);
      expect(asked(openRegistry(open()).tasks)).toEqual(["a", "b", "c"]);
      tasks.update(aTask({ id: "runs", kind: "d" }));
      tasks.update(aTask({ id: "2", kind: "b", state: "running" }));
      expect(asked(tasks)).toEqual(["a", "c", "d"]);
      for (let n = 0; n < 3_000; n++) {
        const task = aTask({ id: `one ${n}`, requirements: { capabilities: [`c${n}`] } });
        tasks.insert(task);
        tasks.update({ ...task, state: "running" });
      }
      expect(asked(tasks)).toEqual(["a", "c", "d"]);
      expect(tasks.waiting.length).toBe(3);
    },
  },
  {
    name: "a peer's held tasks, expired leases, expired deadlines and the next due time are found",
    run(open) {
      const { tasks } = openRegistry(open());
      expect(tasks.nextDue(T)).toBeNull();
      const held = { state: "running", peerId: "p" } as const;
      tasks.insert(aTask({ id: "held", ...held, leaseUntil: T + 10, deadlineAt: T + 90 }));
      tasks.insert(aTask({ id: "other", ...held, peerId: "q", leaseUntil: T + 20 }));
      tasks.insert(aTask({ id: "rests", notBefore: T + 5, deadlineAt: T + 30 }));
      tasks.insert(aTask({ id: "ended", state: "failed", peerId: "p", endedAt: T, deadlineAt: T }));
      expect(tasks.heldBy("p")).toEqual(["held"]);
      expect(tasks.leasesOver(T + 9)).toEqual([]);
      expect(tasks.leasesOver(T + 20)).toEqual(["held", "other"]);
      expect(tasks.pastDeadline(T + 29)).toEqual([]);
      expect(tasks.pastDeadline(T + 90)).toEqual(["rests", "held"]);
      expect(tasks.nextDue(T)).toBe(T + 5);
      expect(tasks.nextDue(T + 5)).toBe(T + 10);
    },
  },
  {
    name: "an idempotency key is found only in its own scope and until it expires",
    run(open) {
      const { idempotency } = openRegistry(open());
      const remembered = { taskId: "t", requestHash: "h" };
      idempotency.put("scope", "key", remembered, T + 10);
      expect(idempotency.get("scope", "key", T + 9)).toEqual(remembered);
      expect(idempotency.get("scope", "key", T + 10)).toBeNull();
      expect(idempotency.get("other", "key", T)).toBeNull();
      idempotency.prune(T + 9, 10);
      expect(idempotency.get("scope", "key", T)).toEqual(remembered);
      idempotency.prune(T + 10, 10);
      expect(idempotency.get("scope", "key", T)).toBeNull();
    },
  },
  {
    name: "removing a task deletes it with its attempts",
    run(open) {
      const { tasks, attempts } = openRegistry(open());
      for (const [id, endedAt] of [
        ["old", T - 1],
        ["new", T],
        ["open", null],
      ] as const) {
        tasks.insert(aTask({ id, endedAt }));
        attempts.insert(anAttempt({ taskId: id }));
      }
      const old = tasks.ended.endedBefore(T, 10);
      expect(old.map(({ id }) => id)).toEqual(["old"]);
      for (const task of old) tasks.ended.remove(task);
      expect([tasks.get("old"), attempts.of("old")]).toEqual([null, []]);
      for (const id of ["new", "open"]) expect(attempts.of(id)).toHaveLength(1);
    },
  },
  {
    name: "attempts are listed by fence, and end only once",
    run(open) {
      const { attempts } = openRegistry(open());
      const [first, second] = [anAttempt(), anAttempt({ fence: 2 })];
      attempts.insert(second);
      attempts.insert(first);
      expect(() => attempts.insert(first)).toThrow();
      expect(attempts.of(first.taskId)).toEqual([first, second]);
      attempts.setState(first.taskId, 1, "prefetched", T);
      attempts.setState(first.taskId, 1, "running", T + 5);
      attempts.setState(first.taskId, 1, "running", T + 9);
      attempts.end(first.taskId, 1, "lost", T + 1, "gone");
      attempts.end(first.taskId, 1, "succeeded", T + 2, null);
      expect(attempts.of(first.taskId)).toEqual([
        { ...first, state: "lost", begunAt: T + 5, endedAt: T + 1, error: "gone" },
        second,
      ]);
    },
  },
];
