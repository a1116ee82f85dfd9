import { expect } from "vitest";
import { EventMapping } from "../../src/protocol/http.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Sql } from "../../src/registry/sql.ts";
import type { Task } from "../../src/tasks/task.ts";
import { anAttempt, aPeer, aTask } from "./records.ts";

/** Opens the test's own database, which is empty at first; each call opens the same one. */
export type OpenSql = () => Sql;

interface Clause {
  readonly name: string;
  readonly holds: (open: OpenSql) => void;
}

const T = 1_767_225_600_000;

/** What the SQL port promises, on whatever engine. */
const PORT: readonly Clause[] = [
  {
    name: "the port gives back text, numbers and null as they were bound",
    holds(open) {
      const sql = open();
      sql.exec("CREATE TABLE things (name TEXT, amount REAL, count INTEGER, absent TEXT)");
      const values = ["é😀 '\"\n", 0.1, T, null];
      expect(sql.exec("INSERT INTO things VALUES (?, ?, ?, ?)", ...values)).toEqual([]);
      expect(sql.exec("SELECT * FROM things").map((row) => ({ ...row }))).toEqual([
        { name: values[0], amount: 0.1, count: T, absent: null },
      ]);
    },
  },
  {
    name: "the port binds by number as often as a number stands there, and returns what RETURNING asks",
    holds(open) {
      const sql = open();
      sql.exec("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)");
      const query = "INSERT INTO things (name) VALUES (?2), (?1), (?2) RETURNING id, name";
      expect(sql.exec(query, "a", "b").map(({ id, name }) => [id, name])).toEqual([
        [1, "b"],
        [2, "a"],
        [3, "b"],
      ]);
    },
  },
  {
    name: "the port throws for what the database refuses",
    holds(open) {
      const sql = open();
      sql.exec("CREATE TABLE things (name TEXT PRIMARY KEY NOT NULL)");
      sql.exec("INSERT INTO things VALUES ('a')");
      expect(() => sql.exec("INSERT INTO things VALUES ('a')")).toThrow();
      expect(() => sql.exec("INSERT INTO things VALUES (NULL)")).toThrow();
      expect(() => sql.exec("SELECT * FROM nowhere")).toThrow();
      expect(sql.exec("SELECT name FROM things")).toHaveLength(1);
    },
  },
  {
    name: "a transaction that returns has committed, and gives back what its body returned",
    holds(open) {
      const sql = open();
      const value = sql.transaction(() => {
        sql.exec("CREATE TABLE things (name TEXT)");
        sql.exec("INSERT INTO things VALUES ('a')");
        return { one: 1 };
      });
      expect(value).toEqual({ one: 1 });
      expect(open().exec("SELECT name FROM things")).toHaveLength(1);
    },
  },
  {
    name: "a transaction that throws has changed nothing, tables included, and throws the same",
    holds(open) {
      const sql = open();
      sql.exec("CREATE TABLE things (name TEXT)");
      const fault = new Error("no");
      const body = () =>
        sql.transaction(() => {
          sql.exec("INSERT INTO things VALUES ('a')");
          sql.exec("CREATE TABLE more (name TEXT)");
          throw fault;
        });
      expect(body).toThrow(fault);
      expect(sql.exec("SELECT name FROM things")).toEqual([]);
      expect(() => sql.exec("SELECT * FROM more")).toThrow();
      sql.transaction(() => sql.exec("INSERT INTO things VALUES ('b')"));
      expect(sql.exec("SELECT name FROM things")).toHaveLength(1);
    },
  },
];

/** What each table promises. */
const TABLES: readonly Clause[] = [
  {
    name: "a registry that is opened again holds what it held",
    holds(open) {
      openRegistry(open()).peers.put(aPeer());
      const again = openRegistry(open());
      expect(again.peers.get(aPeer().id)).toEqual(aPeer());
    },
  },
  {
    name: "settings keep the auth mode that was set last",
    holds(open) {
      const { settings } = openRegistry(open());
      expect(settings.authMode()).toBeNull();
      settings.setAuthMode("allowlist");
      settings.setAuthMode("open");
      expect(settings.authMode()).toBe("open");
    },
  },
  {
    name: "a peer comes back as it was put, and as it was put last",
    holds(open) {
      const { peers } = openRegistry(open());
      const bare = aPeer({ lastSeen: null, session: null, protocol: null, rtt: null, slot: null });
      const unknown = { ...bare, hops: null, geoKm: null, capabilities: [] };
      const full = aPeer({ slot: 17, silentAt: 1_760_000_600_000 });
      peers.put(full);
      expect(peers.get(full.id)).toEqual(full);
      peers.put(unknown);
      expect(peers.get(aPeer().id)).toEqual(unknown);
      peers.remove(aPeer().id);
      expect(peers.get(aPeer().id)).toBeNull();
    },
  },
  {
    name: "connected peers are the active and the suspect ones",
    holds(open) {
      const { peers } = openRegistry(open());
      const states = ["active", "suspect", "stale", "revoked", "discovered", "evicted"] as const;
      for (const state of states) peers.put(aPeer({ id: state, state }));
      expect(peers.connected().map(({ id }) => id)).toEqual(["active", "suspect"]);
      expect(peers.connectedCount()).toBe(2);
    },
  },
  {
    name: "peers are listed by ID after the given one, by state and role",
    holds(open) {
      const { peers } = openRegistry(open());
      for (const id of ["c", "a", "b"]) peers.put(aPeer({ id }));
      peers.put(aPeer({ id: "d", state: "stale", role: "controller" }));
      const ids = (filter: Parameters<typeof peers.list>[0]) =>
        peers.list(filter).map(({ id }) => id);
      expect(ids({ limit: 9 })).toEqual(["a", "b", "c", "d"]);
      expect(ids({ limit: 2, after: "a" })).toEqual(["b", "c"]);
      expect(ids({ limit: 9, state: "stale" })).toEqual(["d"]);
      expect(ids({ limit: 9, role: "worker", after: "b" })).toEqual(["c"]);
    },
  },
  {
    name: "a task comes back as it was inserted, and an update changes its life and nothing else",
    holds(open) {
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
        tries: 3,
        leaseUntil: T + 3,
        peerId: "somebody",
        progress: 0.25,
        result: { text: "\u0000\ud800é😀", list: [null, -0.5, true] },
        error: "line\nbreak é",
      } satisfies Partial<Task>;
      const fixed: Partial<Task> = {
        kind: "other",
        payload: 0,
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
    name: "tasks are listed newest first before the given one, by state, kind and owner",
    holds(open) {
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
    name: "waiting tasks are the queued ones whose pause is over, by priority, then age",
    holds(open) {
      const { tasks } = openRegistry(open());
      tasks.insert(aTask({ id: "old" }));
      tasks.insert(aTask({ id: "new" }));
      tasks.insert(aTask({ id: "urgent", priority: 1 }));
      tasks.insert(aTask({ id: "resting", notBefore: T + 1 }));
      tasks.insert(aTask({ id: "running", state: "running" }));
      const waiting = (now: number, limit: number) => tasks.waiting(now, limit).map(({ id }) => id);
      expect(waiting(T, 9)).toEqual(["urgent", "old", "new"]);
      expect(waiting(T, 2)).toEqual(["urgent", "old"]);
      expect(waiting(T + 1, -1)).toEqual(["urgent", "old", "new", "resting"]);
      expect(tasks.queued()).toBe(4);
    },
  },
  {
    name: "what a peer holds, leases and deadlines that are over, and the next time to look",
    holds(open) {
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
    name: "pruning removes tasks that ended before the given time, with their attempts",
    holds(open) {
      const { tasks, attempts } = openRegistry(open());
      for (const [id, endedAt] of [
        ["old", T - 1],
        ["new", T],
        ["open", null],
      ] as const) {
        tasks.insert(aTask({ id, endedAt }));
        attempts.insert(anAttempt({ taskId: id }));
      }
      tasks.prune(T);
      expect([tasks.get("old"), attempts.of("old")]).toEqual([null, []]);
      for (const id of ["new", "open"]) expect(attempts.of(id)).toHaveLength(1);
    },
  },
  {
    name: "attempts come in the order of their fences, and end once",
    holds(open) {
      const { attempts } = openRegistry(open());
      const [first, second] = [anAttempt(), anAttempt({ fence: 2 })];
      attempts.insert(second);
      attempts.insert(first);
      expect(() => attempts.insert(first)).toThrow();
      expect(attempts.of(first.taskId)).toEqual([first, second]);
      attempts.setState(first.taskId, 1, "running");
      attempts.end(first.taskId, 1, "lost", T + 1, "gone");
      attempts.end(first.taskId, 1, "succeeded", T + 2, null);
      expect(attempts.of(first.taskId)).toEqual([
        { ...first, state: "lost", endedAt: T + 1, error: "gone" },
        second,
      ]);
    },
  },
  {
    name: "the allowlist keeps an entry's age, the denylist its keys",
    holds(open) {
      const { allowlist, denylist } = openRegistry(open());
      const entry = {
        publicKey: "k",
        peerId: "p",
        label: "é",
        roles: ["worker", "dual"],
        goP2p: true,
        addedAt: T,
      } as const;
      allowlist.put(entry);
      allowlist.put({ ...entry, label: "new", roles: ["dual"], goP2p: false, addedAt: T + 9 });
      const kept = { ...entry, label: "new", roles: ["dual"], goP2p: false };
      expect(allowlist.get("k")).toEqual(kept);
      expect(allowlist.list()).toEqual([kept]);
      expect([allowlist.remove("k"), allowlist.remove("k")]).toEqual([true, false]);
      expect(allowlist.get("k")).toBeNull();
      denylist.add("p", "k", "revoked", T);
      denylist.add("p", "k", "revoked", T + 1);
      expect([denylist.has("p"), denylist.has("q")]).toEqual([true, false]);
      denylist.remove("p");
      expect(denylist.has("p")).toBe(false);
    },
  },
  {
    name: "an idempotency key answers in its scope until it expires",
    holds(open) {
      const { idempotency } = openRegistry(open());
      const remembered = { taskId: "t", requestHash: "h" };
      idempotency.put("scope", "key", remembered, T + 10);
      expect(idempotency.get("scope", "key", T + 9)).toEqual(remembered);
      expect(idempotency.get("scope", "key", T + 10)).toBeNull();
      expect(idempotency.get("other", "key", T)).toBeNull();
      idempotency.prune(T + 9);
      expect(idempotency.get("scope", "key", T)).toEqual(remembered);
      idempotency.prune(T + 10);
      expect(idempotency.get("scope", "key", T)).toBeNull();
    },
  },
  {
    name: "a webhook source keeps its age and its deliveries when it is put again",
    holds(open) {
      const { webhookSources } = openRegistry(open());
      const source = {
        name: "ci",
        scheme: "github",
        signature: null,
        sealedSecrets: ["c2VhbGVk"],
        mapping: EventMapping.parse({ kind: "$.type" }),
        createdAt: T,
        deliveries: 0,
      } as const;
      webhookSources.put(source);
      webhookSources.countDelivery("ci");
      const next = {
        ...source,
        scheme: "hmac",
        signature: { header: "x-mac", encoding: "base64", prefix: "v1=" },
        sealedSecrets: ["bmV3", "b2xk"],
      } as const;
      webhookSources.put({ ...next, createdAt: T + 9 });
      expect(webhookSources.get("ci")).toEqual({ ...next, deliveries: 1 });
      expect(webhookSources.count()).toBe(1);
      expect([webhookSources.remove("ci"), webhookSources.remove("ci")]).toEqual([true, false]);
    },
  },
  {
    name: "a peer has one pointer, which is found until it expires",
    holds(open) {
      const { pointers } = openRegistry(open());
      const pointer = { id: "b", peerId: "p", blobId: "x", metadata: { n: 1 }, expiresAt: T + 10 };
      pointers.put(pointer);
      const next = { ...pointer, id: "c", blobId: "y" };
      pointers.put(next);
      pointers.put({ ...pointer, id: "a", peerId: "q" });
      expect(pointers.get("b", T)).toBeNull();
      expect(pointers.ofPeer("p")).toEqual(next);
      expect(pointers.list(T, 9).map(({ id }) => id)).toEqual(["a", "c"]);
      expect(pointers.list(T, 1).map(({ id }) => id)).toEqual(["a"]);
      expect(pointers.list(T, 9, "a").map(({ id }) => id)).toEqual(["c"]);
      expect([pointers.get("c", T + 10), pointers.list(T + 10, 9)]).toEqual([null, []]);
      pointers.remove("p");
      expect(pointers.ofPeer("p")).toBeNull();
    },
  },
  {
    name: "the outbox owes each thing once, gives what is due, and counts failures",
    holds(open) {
      const { outbox } = openRegistry(open());
      expect(outbox.nextDue()).toBeNull();
      outbox.add("publish", "p", T + 5);
      outbox.add("delete_blob", "p", T);
      outbox.postpone("publish", "p", T + 7);
      expect(outbox.due(T + 6, 9).map(({ kind }) => kind)).toEqual(["delete_blob"]);
      expect(outbox.due(T + 7, 9).map(({ failures }) => failures)).toEqual([0, 1]);
      expect(outbox.due(T + 7, 1)).toHaveLength(1);
      outbox.add("publish", "p", T + 1);
      expect(outbox.due(T + 1, 9)[1]).toMatchObject({ kind: "publish", failures: 0 });
      outbox.remove("delete_blob", "p");
      expect(outbox.nextDue()).toBe(T + 1);
    },
  },
];

export const registryContract: readonly Clause[] = [...PORT, ...TABLES];
