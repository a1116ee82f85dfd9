import { expect } from "vitest";
import { EventMapping } from "../../src/protocol/http.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { Callback } from "../../src/webhooks/index.ts";
import { DISCOVERY_TABLES } from "./discovery-tables.suite.ts";
import { aDenyEntry, aDial, anAdvertisedPeer, aPeer } from "./records.ts";
import type { RegistryCase } from "./registry-case.ts";
import { TASK_TABLES } from "./task-tables.suite.ts";
import type { OutboxEntry } from "../../src/registry/outbox.ts";

const T = 1_767_225_600_000;

/** The SQL port's contract. */
const PORT: readonly RegistryCase[] = [
  {
    name: "the SQL port returns text, numbers and null as they were bound",
    run(open) {
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
    name: "the SQL port binds a numbered parameter wherever it occurs, and returns the rows of RETURNING",
    run(open) {
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
    name: "the SQL port throws when the database refuses a statement",
    run(open) {
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
    name: "a transaction whose body returns is committed and returns the body's value",
    run(open) {
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
    name: "a transaction whose body throws is rolled back, schema changes included, and throws the same error",
    run(open) {
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
const TABLES: readonly RegistryCase[] = [
  {
    name: "a reopened registry contains the same data",
    run(open) {
      openRegistry(open()).peers.put(aPeer());
      const again = openRegistry(open());
      expect(again.peers.get(aPeer().id)).toEqual(aPeer());
    },
  },
  {
    name: "settings keep the last auth mode",
    run(open) {
      const { settings } = openRegistry(open());
      expect(settings.authMode()).toBeNull();
      settings.setAuthMode("allowlist");
      settings.setAuthMode("open");
      expect(settings.authMode()).toBe("open");
    },
  },
  {
    name: "a stored peer is read back unchanged, and a later write replaces it",
    run(open) {
      const { peers } = openRegistry(open());
      const bare = aPeer({
        lastSeen: null,
        session: null,
        protocol: null,
        rtt: null,
      });
      const unknown = { ...bare, hops: null, geoKm: null, capabilities: [] };
      const full = aPeer({
        silentAt: 1_760_000_600_000,
        scheduling: { operator: "draining", drainUntil: 1_760_000_700_000, leaving: true },
      });
      peers.put(full);
      expect(peers.get(full.id)).toEqual(full);
      peers.put(unknown);
      expect(peers.get(aPeer().id)).toEqual(unknown);
      peers.remove(aPeer().id);
      expect(peers.get(aPeer().id)).toBeNull();
    },
  },
  {
    name: "the connected peers are the active and the suspect ones",
    run(open) {
      const { peers, roster } = openRegistry(open());
      const states = ["active", "suspect", "stale", "revoked", "discovered", "evicted"] as const;
      for (const state of states) peers.put(aPeer({ id: state, state }));
      expect(peers.connected().map(({ id }) => id)).toEqual(["active", "suspect"]);
      expect(roster.size).toBe(2);
    },
  },
  {
    name: "peers after a given ID are listed by ID, filtered by state and role",
    run(open) {
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
    name: "updating an allowlist entry keeps its creation time, and the denylist keeps its keys",
    run(open) {
      const { allowlist, denylist } = openRegistry(open());
      const entry = {
        publicKey: "k",
        peerId: "p",
        label: "é",
        roles: ["worker", "dual"],
        goP2p: true,
        addedAt: T,
        limits: { weight: 2, maxWaiting: 7, maxRunning: 3, maxPriority: -5, maxBytes: 9_000 },
      } as const;
      allowlist.put(entry);
      allowlist.put({ ...entry, label: "new", roles: ["dual"], goP2p: false, addedAt: T + 9 });
      const kept = { ...entry, label: "new", roles: ["dual"], goP2p: false };
      expect(allowlist.get("k")).toEqual(kept);
      expect(allowlist.list()).toEqual([kept]);
      expect([allowlist.remove("k"), allowlist.remove("k")]).toEqual([true, false]);
      expect(allowlist.get("k")).toBeNull();
      denylist.add(aDenyEntry);
      denylist.add({ ...aDenyEntry, deniedAt: T + 1 });
      expect(denylist.get("p")).toEqual(aDenyEntry);
      expect([denylist.has("p"), denylist.has("q")]).toEqual([true, false]);
      denylist.remove("p");
      expect(denylist.has("p")).toBe(false);
    },
  },
  {
    name: "the next callback of a queue is the one due longest; a queue is ready from then on, and not before its time",
    run(open) {
      const { callbacks } = openRegistry(open());
      const callback = (taskId: string, origin: string): Callback => ({
        taskId,
        owner: "admin",
        url: `${origin}/hook`,
        origin,
        sealedSecret: null,
        state: "waiting",
        dueAt: null,
        attempts: [],
      });
      const [one, two] = [callback("1", "https://a.example"), callback("2", "https://b.example")];
      for (const each of [one, two]) callbacks.insert(each);
      const { queues } = callbacks;
      const next = (now: number, origins: readonly string[] = []) =>
        queues.next("unknown", now, { owners: [], origins, sites: [] }, "")?.origin ?? null;
      expect([next(T), queues.nextReady()]).toEqual([null, null]);
      const attempts = [{ at: T, endedAt: null, status: 503, error: "é" }];
      const owed = { ...two, state: "pending", dueAt: T, attempts } as const;
      callbacks.update(owed);
      callbacks.update({ ...one, state: "pending", dueAt: T + 1 });
      expect(callbacks.get("2")).toEqual(owed);
      expect(callbacks.due(T - 1, two)).toBeNull();
      expect(callbacks.due(T + 1, two)?.taskId).toBe("2");
      expect(queues.nextReady()).toBe(T);
      expect([next(T - 1), next(T), next(T, [two.origin])]).toEqual([null, two.origin, null]);
      expect(next(T + 1, [two.origin])).toBe(one.origin);
      queues.hold(two, T + 5);
      expect([next(T + 1), queues.nextReady()]).toEqual([one.origin, T + 1]);
      expect(
        queues.next("unknown", T + 5, { owners: ["admin"], origins: [], sites: [] }, ""),
      ).toBeNull();
      callbacks.remove("2");
      expect([callbacks.get("2"), callbacks.count()]).toEqual([null, 1]);
      expect(queues.counts()).toEqual({ queues: 1, receivers: 0 });
    },
  },
  {
    name: "updating a webhook source keeps its ID, its creation time and its deliveries",
    run(open) {
      const { webhookSources } = openRegistry(open());
      const source = {
        name: "ci",
        id: "5e0c",
        scheme: "github",
        signature: null,
        sealedSecrets: ["c2VhbGVk"],
        mapping: EventMapping.parse({ kind: "$.type" }),
        filters: [{ header: "x-event", equals: "push" }],
        revision: 1,
        createdAt: T,
        deliveries: 0,
        maxBytes: null,
        maxBodyBytes: null,
        identity: null,
      } as const;
      webhookSources.put(source);
      webhookSources.countDelivery("ci");
      const next = {
        ...source,
        scheme: "hmac",
        signature: { header: "x-mac", encoding: "base64", prefix: "v1=" },
        sealedSecrets: ["bmV3", "b2xk"],
        revision: 2,
        maxBytes: 5_000,
      } as const;
      webhookSources.put({ ...next, id: "another", createdAt: T + 9 });
      expect(webhookSources.get("ci")).toEqual({ ...next, deliveries: 1 });
      expect(["ci", "ci"].map((name) => webhookSources.remove(name))).toEqual([true, false]);
    },
  },
  {
    name: "of a peer without a record, the nearest advert counts, then the oldest",
    run(open) {
      const { advertisedPeers, peers } = openRegistry(open());
      const told = anAdvertisedPeer();
      expect(advertisedPeers.oldest()).toBeNull();
      advertisedPeers.put(told);
      expect(advertisedPeers.of(told.peerId)).toEqual(told);
      advertisedPeers.put(
        anAdvertisedPeer({ advertiser: "later", advertisedAt: T + 1, rttMs: null }),
      );
      expect(advertisedPeers.of(told.peerId)).toEqual(told);
      const nearer = anAdvertisedPeer({
        advertiser: "nearer",
        advertisedAt: T + 2,
        hops: 2,
        role: "dual",
      });
      advertisedPeers.put(nearer);
      expect(advertisedPeers.of(told.peerId)).toEqual(nearer);
      expect(advertisedPeers.list({ limit: 9 })).toEqual([nearer]);
      expect(advertisedPeers.list({ limit: 9, role: told.role })).toEqual([]);
      advertisedPeers.put(anAdvertisedPeer({ peerId: "z" }));
      expect(advertisedPeers.list({ limit: 9 }).map(({ peerId }) => peerId)).toEqual([
        told.peerId,
        "z",
      ]);
      expect(advertisedPeers.list({ limit: 1 }).map(({ peerId }) => peerId)).toEqual([told.peerId]);
      expect(advertisedPeers.list({ limit: 9, after: told.peerId })).toHaveLength(1);
      expect(advertisedPeers.by("nearer")).toEqual([nearer]);
      peers.put(aPeer({ id: told.peerId }));
      expect(advertisedPeers.of(told.peerId)).toBeNull();
      expect(advertisedPeers.list({ limit: 9 }).map(({ peerId }) => peerId)).toEqual(["z"]);
      advertisedPeers.forgetPeer("z");
      expect(advertisedPeers.of("z")).toBeNull();
      advertisedPeers.forgetAdvertiser("nearer");
      expect(advertisedPeers.by("nearer")).toEqual([]);
    },
  },
  {
    name: "adverts over the limit or the maximum age are deleted, oldest first",
    run(open) {
      const { advertisedPeers } = openRegistry(open());
      const told = ["a", "b", "c", "d", "e"] as const;
      for (const [n, peerId] of told.entries()) {
        const teller = peerId === "c" ? "other" : "teller";
        advertisedPeers.put(anAdvertisedPeer({ advertiser: teller, peerId, heardAt: T + n }));
      }
      const left = () => advertisedPeers.list({ limit: 9 }).map(({ peerId }) => peerId);
      advertisedPeers.keepNewestOf("teller", 4);
      expect(left()).toEqual(["a", "b", "c", "d", "e"]);
      advertisedPeers.keepNewestOf("teller", 3);
      expect(left()).toEqual(["b", "c", "d", "e"]);
      advertisedPeers.keepNewest(4);
      expect(left()).toEqual(["b", "c", "d", "e"]);
      advertisedPeers.keepNewest(3);
      expect(left()).toEqual(["c", "d", "e"]);
      expect(advertisedPeers.oldest()).toBe(T + 2);
      advertisedPeers.prune(T + 3);
      expect(left()).toEqual(["e"]);
    },
  },
  {
    name: "a dial address is found by ID, URL and peer, and by due time",
    run(open) {
      const { dials } = openRegistry(open());
      expect([dials.nextDue(), dials.anyQueued(), dials.count()]).toEqual([null, false, 0]);
      const dial = aDial();
      const next = aDial({ id: "b", url: "wss://b.example/", state: "queued", dueAt: T + 3 });
      const last = aDial({ id: "c", url: "wss://c.example/", state: "queued", dueAt: T + 2 });
      for (const each of [dial, next, last]) dials.put(each);
      expect([dials.get("a"), dials.ofUrl(dial.url), dials.get("x")]).toEqual([dial, dial, null]);
      expect(dials.list()).toEqual([dial, next, last]);
      expect([dials.due(T - 1), dials.due(T)]).toEqual([[], [dial]]);
      expect(dials.queued(9)).toEqual([last, next]);
      expect([dials.queued(1), dials.anyQueued(), dials.nextDue()]).toEqual([[last], true, T]);
      const connected = aDial({ publicKey: "k", peerId: "p", state: "connected", dueAt: null });
      dials.put(connected);
      dials.put({ ...next, state: "dialling" });
      expect(dials.ofPeer("p")).toEqual([connected]);
      expect(dials.taken()).toEqual({ dialling: 1, connected: 1 });
      expect([dials.connectedBefore(T - 1), dials.connectedBefore(T)]).toEqual([[], [connected]]);
      dials.put({ ...last, state: "barred", dueAt: null });
      expect(dials.barred().map(({ id }) => id)).toEqual(["c"]);
      dials.remove("c");
      expect([dials.count(), dials.nextDue()]).toEqual([2, T + 3]);
      expect(() => dials.put(aDial({ id: "z", url: next.url }))).toThrow();
    },
  },
  {
    name: "the outbox stores an entry once, returns due entries, and counts failures",
    run(open) {
      const { outbox } = openRegistry(open());
      const publish = { kind: "publish", peerId: "p" } as const;
      const deletion = { kind: "delete_blob", blobId: "p" } as const;
      expect(outbox.nextDue()).toBeNull();
      outbox.add(publish, T + 5);
      outbox.add(deletion, T);
      outbox.retry(publish, T + 7);
      expect(outbox.due(T + 6, 9).map(({ entry }) => entry)).toEqual([deletion]);
      expect(outbox.due(T + 7, 9).map(({ failures }) => failures)).toEqual([0, 1]);
      expect(outbox.due(T + 7, 1)).toHaveLength(1);
      outbox.add(publish, T + 1);
      expect(outbox.due(T + 1, 9)[1]).toMatchObject({ entry: publish, failures: 0 });
      outbox.addNoLater(publish, T + 9);
      expect(outbox.dueAt(publish)).toBe(T + 1);
      outbox.remove(deletion);
      expect(outbox.nextDue()).toBe(T + 1);
    },
  },
  {
    name: "the outbox returns every kind of entry as it was added, and removes exactly that one",
    run(open) {
      const { outbox } = openRegistry(open());
      const to = { peerId: "p", session: '["s",1]', epoch: 3 };
      const other = { ...to, peerId: "p2" };
      const fault = { code: "revoked", detail: 'a "detail", with [brackets]' } as const;
      const entries: OutboxEntry[] = [
        { kind: "publish", peerId: "p" },
        { kind: "delete_blob", blobId: "b" },
        { kind: "delete_result", blobId: "b" },
        { kind: "end_session", to, fault },
        { kind: "end_session", to: other, fault },
        { kind: "end_session", to, fault: { code: "forgotten", detail: "" } },
        { kind: "probe", to },
        { kind: "replicate" },
        { kind: "check_copy" },
        { kind: "drop_copy", key: "k" },
      ];
      entries.forEach((entry, index) => outbox.add(entry, T + index));
      expect(outbox.due(T + 99, 99).map(({ entry }) => entry)).toEqual(entries);
      expect(outbox.unconfirmedEnds("p")).toEqual([to, to]);
      entries.forEach((entry, index) => {
        outbox.remove(entry);
        expect(outbox.due(T + 99, 99).map((item) => item.entry)).toEqual(entries.slice(index + 1));
      });
    },
  },
];

export const registryContract: readonly RegistryCase[] = [
  ...PORT,
  ...TABLES,
  ...TASK_TABLES,
  ...DISCOVERY_TABLES,
];
