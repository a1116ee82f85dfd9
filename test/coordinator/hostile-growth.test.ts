import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../src/base/clock.ts";
import type { SessionCommandName } from "../../src/contract/commands.ts";
import { strangerLimits } from "../../src/coordinator/peers/record-limits.ts";
import {
  ADVERTISED_MAX,
  ADVERTISED_PER_PEER_MAX,
  KV_WRITES_BASE_PER_DAY,
  KV_WRITES_PER_PEER_DAY,
  ROTATIONS_MAX,
  RTT_PAIRS_PER_PEER_MAX,
  STORAGE_LIMIT,
} from "../../src/protocol/constants.ts";
import { trimEvery } from "../../src/registry/trims.ts";
import { EVENT_LIMITS } from "../../src/registry/event-log.ts";
import { seededNumbers } from "../random.ts";
import type { Announced } from "./announced.ts";
import { submission } from "./submission.ts";
import { testKey, TestMesh, TestPeer, type Key } from "./mesh.ts";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";

const PEERS_MAX = 20;
const LISTED = 3;
const AUDIT = { window: HOUR, perActor: 10, listed: 60, stranger: 80, trimEvery: 10 };

const limits = strangerLimits({
  peersMax: PEERS_MAX,
  storage: { limit: STORAGE_LIMIT, payloadRetention: DAY },
});
/** A limit, and what may be added before it is applied again. */
const withExcess = (limit: number): number => limit + trimEvery(limit);
const RECORDS = withExcess(limits.records) + LISTED;
/** What the operator has done before the hostile peers come. */
const OPERATOR_ENTRIES = LISTED + 1;
const KV_BUDGET = KV_WRITES_BASE_PER_DAY + KV_WRITES_PER_PEER_DAY * PEERS_MAX;

/** How many rows each table may have in this mesh. A table that is not named here fails the test. */
const BOUNDS: Readonly<Record<string, number>> = {
  schema_version: 1,
  settings: 5,
  peers: RECORDS,
  observed: RECORDS,
  coordinates: RECORDS,
  pair_rtts: RECORDS * RTT_PAIRS_PER_PEER_MAX,
  circuits: RECORDS * 65,
  service_times: RECORDS * 64,
  tombstones: withExcess(limits.tombstones) + LISTED,
  denylist: withExcess(limits.rotatedKeys) + LISTED * ROTATIONS_MAX,
  aliases: withExcess(limits.rotatedKeys) + LISTED * ROTATIONS_MAX,
  key_holders: withExcess(limits.keyHolders) + LISTED,
  advertised_peers: Math.min(ADVERTISED_MAX, RECORDS * ADVERTISED_PER_PEER_MAX),
  correlated_failures: 4_096,
  audit: OPERATOR_ENTRIES + AUDIT.listed + AUDIT.stranger + AUDIT.trimEvery,
  outbox: RECORDS + 2 * KV_BUDGET,
  pointers: 2 * KV_BUDGET,
  unsettled_blobs: KV_BUDGET,
  kv_shares: KV_BUDGET,
  kv_writes: 25,
  discovery_epochs: 3,
  directory_pages: 256,
  event_log: EVENT_LIMITS.rows,
  metric_counters: 1,
  // 21 of each of six types.
  alerts: 126,
  // Of a mesh without alert webhooks.
  alert_deliveries: 0,
  // Of a mesh without a collector.
  span_queue: 0,
  // Only the operator adds rows, or a caller with a quota.
  allowlist: LISTED,
  join_keys: 1,
  dials: 0,
  api_tokens: 0,
  webhook_sources: 0,
  webhook_deliveries: 0,
  webhook_refusals: 0,
  kind_settings: 0,
  tasks: 0,
  attempts: 0,
  task_results: 0,
  result_uploads: 0,
  idempotency: 0,
  choices: 0,
  callbacks: 0,
  callback_rotations: 0,
  callback_queues: 0,
  callback_receivers: 0,
  ended_owners: 0,
  submitters: 0,
  task_kinds: 0,
  // Of a mesh of one cell.
  cell_links: 0,
  cell_messages: 0,
  departed_peers: 0,
  arrived_peers: 0,
  peer_sources: 0,
  peer_pulls: 0,
  remote_peers: 0,
  reported_peers: 0,
  silent_cells: 0,
  task_arrivals: 0,
  task_forwards: 0,
  join_key_grants: 0,
};

/** Hostile peers: strangers that make keys as they like, and a few listed keys. */
class HostilePeers {
  readonly mesh: TestMesh;
  readonly random = seededNumbers(9);
  readonly sessions: TestPeer[] = [];
  readonly listed: Key[];

  constructor(mesh: TestMesh) {
    this.mesh = mesh;
    this.listed = Array.from({ length: LISTED }, (_, n) => testKey(900 + n));
    for (const { id: peerId, publicKey } of this.listed)
      mesh.run("allow", {
        publicKey,
        peerId,
        label: "",
        roles: ["worker"],
        readmit: false,
        go_p2p: false,
      });
    mesh.run("create_join_key", {
      label: "",
      roles: ["worker"],
      uses: 1,
      expires_seconds: 1,
    });
  }

  below = (limit: number): number => Math.floor(this.random() * limit);
  hex = (bytes: number): string =>
    Array.from({ length: 2 * bytes }, () => this.below(16).toString(16)).join("");
  /** The coordinator does not compute IDs from keys: the session has done so. */
  freshKey = (): Key => ({ id: this.hex(16), publicKey: this.hex(32) });
  pick = <T>(from: readonly T[]): T | undefined => from[this.below(from.length)];

  announced = (): Announced => ({
    name: `x${this.below(1_000)}`,
    claimedRole: this.pick(["worker", "dual", "controller"]) ?? "worker",
    protocol: this.pick(["muster/2", "muster/2", "go-p2p/1.0"]) ?? "muster/2",
    network: `AS${this.below(500)}`,
    colo: `C${this.below(50)}`,
    joinKey: this.random() < 0.1 ? `mjk_${this.hex(8)}` : null,
  });

  /** Opens a session with a key; what the coordinator refuses is part of the attack. */
  connect(key: Key): void {
    const peer = new TestPeer(this.mesh, key);
    peer.session = this.mesh.newSession();
    this.mesh.sessions.set(peer.session, peer);
    const admitted = this.mesh.attempt("admit", peer.admitInput(this.announced()));
    if (!admitted.ok) return;
    peer.epoch = admitted.value.epoch;
    this.sessions.push(peer);
    if (this.sessions.length > 2 * PEERS_MAX) this.sessions.shift();
  }

  send(name: SessionCommandName, more: object): void {
    const peer = this.pick(this.sessions);
    if (peer === undefined) return;
    const input = { peerId: peer.id, epoch: peer.epoch, ...more };
    this.mesh.attempt(name, input);
  }

  readonly acts: readonly (() => void)[] = [
    () => this.connect(this.freshKey()),
    () => this.connect(this.freshKey()),
    () => this.connect(this.pick(this.listed) ?? this.freshKey()),
    () => this.connect(this.pick(this.sessions)?.key ?? this.freshKey()),
    () => this.send("gone", { reason: "lost", silent: this.random() < 0.5 }),
    () => this.send("observe", { seq: this.below(1_000), event: "missed_answer", rtt: null }),
    () => this.send("observe", { seq: this.below(1_000), event: "answered", rtt: null }),
    () => this.rotate(this.freshKey()),
    () => this.rotate(this.freshKey()),
    () => this.rotate(this.pick(this.sessions)?.key ?? this.freshKey()),
    () => this.send("announce", { announced: { capabilities: [this.hex(4)], slots: 1 } }),
    () => this.send("peer_drains", {}),
    () => this.send("hear_advert", { peers: Array.from({ length: 32 }, () => this.advert()) }),
    () => this.send("report_rtts", { rtts: this.sessions.map(({ id: to }) => ({ to, rttMs: 5 })) }),
    () => this.send("assign_task", { task: submission({ kind: "echo" }).task, key: this.hex(8) }),
    () => this.send("query_task", { id: this.hex(16) }),
    () => this.send("recall_task", { id: this.hex(16) }),
    () => this.send("accept_task", { taskId: this.hex(16), fence: 1 }),
    () => this.send("refuse_task", { taskId: this.hex(16), fence: 1, reason: "no" }),
    () => this.send("release_task", { taskId: this.hex(16), fence: 1, reason: "no", begun: true }),
    () => this.send("progress_task", { taskId: this.hex(16), fence: 1, progress: 1 }),
    () =>
      this.send("finish_task", {
        outcome: { task_id: this.hex(16), fence: 1, ok: true, result: exactJsonOf(1) },
      }),
  ];

  /** Rotates some session's key, and comes back with the new one. */
  rotate(next: Key): void {
    const peer = this.pick(this.sessions);
    if (peer === undefined) return;
    const input = { newPeerId: next.id, newPublicKey: next.publicKey };
    const rotated = this.mesh.attempt("rotate_peer", {
      peerId: peer.id,
      epoch: peer.epoch,
      ...input,
    });
    if (!rotated.ok) return;
    const index = this.listed.findIndex(({ id }) => id === peer.id);
    if (index >= 0) this.listed[index] = next;
    this.connect(next);
  }

  advert() {
    const { id: peerId, publicKey } = this.freshKey();
    return { peerId, publicKey, address: "", role: "worker", rttMs: 1 };
  }
}

const countsOf = (mesh: TestMesh): Map<string, number> => {
  mesh.registry.measurements.flush();
  const tables = mesh.rows(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`,
  );
  return new Map(
    tables.map(({ name }) => [
      String(name),
      Number(mesh.rows(`SELECT COUNT(*) AS count FROM ${name}`)[0]?.["count"]),
    ]),
  );
};

describe("what peers without any right can make the coordinator store", () => {
  test.for(["open", "allowlist"] as const)(
    "RL22 in mode %s no table exceeds its bound, whatever peers send, and the operator's audit entries stay",
    { timeout: 60_000 },
    (authMode) => {
      const mesh = new TestMesh({
        config: { authMode, peersMax: PEERS_MAX },
        auditLimits: AUDIT,
      });
      const hostile = new HostilePeers(mesh);
      const acts = 6_000;
      const highest = new Map<string, number>();
      for (let n = 0; n < acts; n++) {
        hostile.pick(hostile.acts)?.();
        mesh.advanceClock(hostile.below(30 * SECOND));
        if (n % 50 === 0) mesh.runFor(MINUTE);
        if (n % 100 !== 0) continue;
        for (const [table, rows] of countsOf(mesh))
          highest.set(table, Math.max(rows, highest.get(table) ?? 0));
      }
      for (const [table, rows] of highest)
        expect(rows, `rows of ${table}`).toBeLessThanOrEqual(BOUNDS[table] ?? -1);
      const perActor = mesh.rows(
        `SELECT MAX(count) AS most FROM (SELECT COUNT(*) AS count FROM audit WHERE budget <> 'operator' GROUP BY actor)`,
      )[0];
      expect(Number(perActor?.["most"])).toBeLessThanOrEqual(AUDIT.perActor);
      const kept = mesh.registry.audit.list({ limit: 1_000 });
      expect(kept.filter(({ budget }) => budget === "operator")).toHaveLength(OPERATOR_ENTRIES);
    },
  );

  test("RL22 of the records of strangers those go first whose peers never completed a task", () => {
    const mesh = new TestMesh({ config: { peersMax: PEERS_MAX } });
    const useful = mesh.join(testKey(1));
    mesh.submit({ kind: "echo" });
    useful.accept();
    useful.finish();
    useful.leave();
    const hostile = new HostilePeers(mesh);
    const [listed] = hostile.listed;
    if (listed === undefined) throw new Error("no listed key");
    mesh.join(listed).leave();
    for (let n = 0; n < 10 * PEERS_MAX; n++) {
      mesh.advanceClock(SECOND);
      mesh.join(hostile.freshKey()).leave();
    }
    const [records] = mesh.rows(`SELECT COUNT(*) AS count FROM peers`);
    expect(records?.["count"]).toBeLessThanOrEqual(RECORDS);
    for (const { id } of [useful, listed]) expect(mesh.registry.peers.get(id)).not.toBeNull();
  });

  test("RL23 a peer that keeps rotating its key is refused after eight times in 30 days", () => {
    const mesh = new TestMesh();
    const hostile = new HostilePeers(mesh);
    let key = hostile.freshKey();
    let refused: string | null = null;
    let rotations = 0;
    while (refused === null) {
      const peer = mesh.join(key, { protocol: "muster/2" });
      const next = hostile.freshKey();
      const input = { newPeerId: next.id, newPublicKey: next.publicKey };
      const result = mesh.attempt("rotate_peer", { peerId: key.id, epoch: peer.epoch, ...input });
      if (result.ok) rotations++;
      else refused = result.error.code;
      if (result.ok) key = next;
    }
    expect([refused, rotations]).toEqual(["rate_limited", ROTATIONS_MAX]);
  });

  test("DS48 when more holders got discovery keys than are known one by one, the epoch ends with the next revocation, and not with a rotation", () => {
    const mesh = new TestMesh({ config: { peersMax: PEERS_MAX } });
    const hostile = new HostilePeers(mesh);
    const first = mesh.join(hostile.freshKey(), { protocol: "muster/2" });
    for (let n = 0; n < withExcess(limits.keyHolders); n++)
      mesh.join(hostile.freshKey(), { protocol: "muster/2" }).leave();
    const rows = mesh.rows(`SELECT COUNT(*) AS count FROM key_holders`)[0];
    expect(Number(rows?.["count"])).toBeLessThanOrEqual(withExcess(limits.keyHolders));
    const isExpelled = (): boolean =>
      mesh.registry.discoveryEpochs.list().some(({ expelled }) => expelled);
    hostile.connect(hostile.freshKey());
    hostile.rotate(hostile.freshKey());
    expect(isExpelled()).toBe(false);
    mesh.run("revoke_peer", { id: first.id });
    expect(isExpelled()).toBe(true);
  });
});
