import type { z } from "zod";
import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import type { Millis } from "../../src/base/clock.ts";
import { sampleRtt } from "../../src/scoring/rtt.ts";
import type { Json } from "../../src/base/json.ts";
import type { AdmitInput } from "../../src/contract/admission.ts";
import type { CommandName, Input, Output } from "../../src/contract/commands.ts";
import type { ReadCommandName } from "../../src/contract/read-commands.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import type { Effect } from "../../src/coordinator/kernel/effects.ts";
import type { EndFault, SessionRef } from "../../src/peers/session-orders.ts";
import {
  execute,
  executeGroup,
  executeRead,
  type Executed,
  type ExecutedGroup,
  type GroupedCommand,
} from "../../src/coordinator/kernel/execute.ts";
import { deliveryOf, type OutboxAction } from "../../src/coordinator/outbox/delivery.ts";
import { DueTimes } from "../../src/coordinator/kernel/due-times.ts";
import type { Publication } from "../../src/discovery/sealed-records.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import {
  PointerQuery,
  SubmitTask,
  type PointerList,
  type PeerView,
  type PointerView,
  type SubmitTaskInput,
} from "../../src/protocol/http.ts";
import type { DiscoveryKeys } from "../../src/protocol/discovery.ts";
import type { PeerId } from "../../src/protocol/ids.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import type { AuditLimits } from "../../src/registry/audit.ts";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import type { Sql, SqlRow } from "../../src/registry/sql.ts";
import { must, mustFail, present } from "../must.ts";
import { ANNOUNCED, type Announced } from "./announced.ts";
import { earnSlots } from "./earn-slots.ts";
import { actorOf } from "./actor-of.ts";
import type { Key } from "./keys.ts";
import { nodeSql } from "../node-sql.ts";
import { seededNumbers, seededRandom } from "../random.ts";
import { parsed, type ParsedTask } from "./parsed-task.ts";
import { TEST_CONFIG } from "./test-config.ts";

export const START: Millis = Date.UTC(2026, 0, 1);

export { KEYS, testKey, type Key } from "./keys.ts";
export { submission } from "./submission.ts";

interface Options {
  readonly seed?: number;
  readonly config?: Partial<CoordinatorConfig>;
  readonly sql?: Sql;
  readonly auditLimits?: AuditLimits;
}

/** A coordinator with a database in memory, a clock that the test sets, and test peers instead of sessions. */
export class TestMesh {
  readonly sql: Sql;
  registry: Registry;
  /** Test peers by the names of their sessions. */
  readonly sessions = new Map<string, TestPeer>();
  /** Every effect that was performed. */
  readonly effects: Effect[] = [];
  /** IDs of the blobs in the store. */
  readonly blobs = new Set<string>();
  /** Sessions that were ordered to ping their peers, in order. */
  readonly probes: SessionRef[] = [];
  /** Publications that were stored, in order. */
  readonly publications: Publication[] = [];
  /** Number of writes and deletions in the store. */
  storeWrites = 0;
  storeUnavailable = false;
  /** Looks at the store of the replicas; false if it can't be read. The mesh itself has none. */
  checkCopy = (): boolean => false;
  now = START;
  readonly #context;
  #dueTimes = new DueTimes();
  #sessionsOpened = 0;

  constructor({ seed = 1, config, sql = nodeSql(), auditLimits }: Options = {}) {
    this.sql = sql;
    this.registry = openRegistry(sql, 0, auditLimits);
    this.#context = {
      config: {
        ...TEST_CONFIG,
        ...config,
      } as const,
      random: seededNumbers(seed),
      randomBytes: seededRandom(seed),
    };
  }

  /** Restarts the coordinator's object: its memory is lost, its database stays. */
  restart(): void {
    [this.registry, this.#dueTimes] = [openRegistry(this.sql), new DueTimes()];
  }

  get #scope() {
    return { ...this.#context, registry: this.registry, now: this.now };
  }

  /** Runs a command and leaves its effects to the caller. */
  execute<K extends CommandName>(name: K, input: Input<K>): Executed<K> {
    const executed = execute({ ...this.#scope, actor: actorOf(name, input) }, name, input);
    if (name === "tick") this.#dueTimes.forget();
    return executed;
  }

  /** Runs commands as one group and leaves their effects to the caller. */
  executeGroup(commands: readonly GroupedCommand[]): ExecutedGroup {
    return executeGroup(this.#scope, commands);
  }

  read<K extends ReadCommandName>(name: K, input: Input<K>): Executed<K>["result"] {
    return executeRead({ ...this.#scope, actor: "admin" }, name, input);
  }

  /** Runs a command that must succeed, and performs its effects. */
  run<K extends CommandName>(name: K, input: Input<K>): Output<K> {
    const { result, effects } = this.execute(name, input);
    for (const effect of effects) this.#perform(effect);
    return must(result);
  }

  /** The error of a command that must fail. It may have no effects and change nothing but the audit log. */
  errorOf<K extends CommandName>(name: K, input: Input<K>): MusterError {
    const before = this.contents();
    const { result, effects } = this.execute(name, input);
    const error = mustFail(result);
    if (effects.length > 0) throw new Error(`${name} failed and has effects`);
    if (this.contents() !== before) throw new Error(`${name} failed and changed the database`);
    return error;
  }

  join(key: Key, announced: Announced = {}): TestPeer {
    const peer = new TestPeer(this, key);
    peer.join(announced);
    return peer;
  }

  submit(task: SubmitTaskInput = { kind: "echo" }): ParsedTask {
    const input = {
      task: SubmitTask.parse(task),
      source: "api",
      owner: "admin",
      idempotency: null,
    };
    return parsed(this.run("submit_task", input).task);
  }

  /** Inserts `count` copies of a queued task directly into the queue. */
  fillQueue(count: number, input: SubmitTaskInput): void {
    const task = present(this.registry.tasks.get(this.submit(input).id));
    this.registry.transaction(() => {
      for (let i = 1; i < count; i++)
        this.registry.tasks.insert({ ...task, id: `${task.id} ${i}` });
    });
  }

  /** One page of the published pointers, or of the changes since a position. */
  listPointers = (query: z.input<typeof PointerQuery> = {}): PointerList =>
    this.run("list_pointers", { query: PointerQuery.parse(query) });

  get pointers(): readonly PointerView[] {
    return this.listPointers({ limit: 500 }).pointers;
  }
  /** The discovery keys that a controller's token gets. */
  discoveryKeys = (tokenId = "admin") => this.run("discovery_keys", { tokenId });
  task = (id: string): ParsedTask => parsed(this.run("get_task", { id, visibleTo: null }));
  /** Advances the clock without running the coordinator. */
  advanceClock = (ms: number): void => void (this.now += ms);
  tick(): void {
    this.run("tick", {});
  }

  /** Advances the clock and runs a tick whenever one is due, as the object's alarm does. */
  runFor(ms: number): void {
    const end = this.now + ms;
    for (let due = this.nextTick(); due !== null && due <= end; due = this.nextTick()) {
      const at = Math.max(due, this.now + 1);
      // What is due at once at the end is left to the next call: the clock must not go back.
      if (at > end) break;
      this.now = at;
      this.tick();
    }
    this.now = end;
  }

  get config(): CoordinatorConfig {
    return this.#context.config;
  }

  /** When the alarm rings. It may ring too early, because it is computed from changes, but never too late. */
  nextTick = (): Millis | null => {
    const scope = { registry: this.registry, config: this.config, now: this.now };
    const [due, exact] = [this.#dueTimes.next(scope), new DueTimes().next(scope)];
    if (exact !== null && (due === null || due > exact))
      throw new Error(`the alarm rings at ${due}, but work is due at ${exact}`);
    return due;
  };

  /** Effects of one type, in the order in which they were performed. */
  effectsOfType<T extends Effect["type"]>(type: T): Extract<Effect, { type: T }>[] {
    return this.effects.filter((effect) => effect.type === type) as Extract<Effect, { type: T }>[];
  }

  /** The database's contents without the audit log and what is counted, for comparisons. */
  contents(): string {
    this.registry.measurements.flush(); // written a little later than the rest
    const tables = this.rows(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('audit', 'metric_counters') AND name NOT LIKE 'sqlite%' ORDER BY name",
    );
    return JSON.stringify(tables.map(({ name }) => [name, this.rows(`SELECT * FROM ${name}`)]));
  }

  rows = (query: string): readonly SqlRow[] => this.sql.exec(query);
  newSession(): string {
    return `session-${++this.#sessionsOpened}`;
  }

  #perform(effect: Effect): void {
    this.effects.push(effect);
    if (effect.type === "offer") this.sessions.get(effect.to.session)?.offers.push(effect.offer);
    if (effect.type === "cancel") this.sessions.get(effect.to.session)?.cancelled.push(effect);
    if (effect.type === "end_session" && this.#endSession(effect.to, effect.fault))
      this.run("session_ended", { to: effect.to, fault: effect.fault });
    if (effect.type === "drain_outbox") this.#drainOutbox();
  }

  /** Ends a session; false if it is `unreachable` and does not confirm. */
  #endSession(to: SessionRef, fault: EndFault): boolean {
    const peer = this.sessions.get(to.session);
    if (peer?.unreachable === true) return false;
    if (peer !== undefined) peer.endFault = fault;
    return true;
  }

  /** Delivers due outbox entries as the outbox runner does, without waiting. Blobs are represented by their IDs. */
  #drainOutbox(): void {
    for (const item of this.registry.outbox.due(this.now, 100)) {
      const delivery = deliveryOf(item, (name, input) => this.attempt(name, input));
      if (delivery === null) continue;
      if (this.#deliver(delivery.action)) delivery.confirm();
      else this.run("outbox_failed", item);
    }
  }

  /** Performs the action of an outbox entry outside the database; false if it fails. */
  #deliver(action: OutboxAction): boolean {
    switch (action.type) {
      case "store_record":
        if (this.storeUnavailable) return false;
        this.blobs.add(action.publication.blobId);
        this.storeWrites++;
        this.publications.push(action.publication);
        return true;
      case "delete":
        if (this.storeUnavailable || action.store === "replicas") return false;
        this.blobs.delete(action.key.replace(/^blob:/, ""));
        this.storeWrites++;
        return true;
      case "end_session":
        return this.#endSession(action.to, action.fault);
      case "probe":
        if (this.sessions.get(action.to.session)?.unreachable === true) return false;
        this.probes.push(action.to);
        return true;
      case "check_copy":
        return this.checkCopy();
      case "send_to_cell":
      case "pull_peers":
        return false; // the test mesh has one cell
      case "replicate":
        return false; // the test mesh has no store of replicas
      default:
        return action satisfies never;
    }
  }

  /** Runs a command and performs its effects, whether it succeeds or not. */
  attempt<K extends CommandName>(name: K, input: Input<K>): Executed<K>["result"] {
    const { result, effects } = this.execute(name, input);
    for (const effect of effects) this.#perform(effect);
    return result;
  }
}

/** A peer whose messages and session events the test sends. */
export class TestPeer {
  readonly mesh: TestMesh;
  readonly key: Key;
  epoch = 0;
  /** Sequence number of the last observation. */
  observationSeq = 0;
  session = "";
  /** Offers that its sessions received, in order. */
  readonly offers: TaskOffer[] = [];
  readonly cancelled: { readonly taskId: string; readonly fence: number }[] = [];
  endFault: EndFault | null = null;
  /** The discovery keys of its newest welcome. */
  discovery: DiscoveryKeys | undefined;
  unreachable = false;

  constructor(mesh: TestMesh, key: Key) {
    this.mesh = mesh;
    this.key = key;
  }

  admitInput(announced: Announced = {}): AdmitInput {
    const { id, publicKey } = this.key;
    return { ...ANNOUNCED, ...announced, peerId: id, publicKey, session: this.session };
  }

  join(announced: Announced = {}): void {
    this.session = this.mesh.newSession();
    this.mesh.sessions.set(this.session, this);
    this.endFault = null;
    const { epoch, discovery } = this.mesh.run("admit", this.admitInput(announced));
    this.epoch = epoch;
    this.discovery = discovery;
    this.observationSeq = 0;
  }

  get id(): PeerId {
    return this.key.id;
  }
  get view(): PeerView {
    return this.mesh.run("get_peer", { id: this.id });
  }
  /** The newest offer. */
  get offer(): TaskOffer {
    return present(this.offers.at(-1));
  }

  /** The fields that identify an attempt: that of the newest offer unless another is given. */
  attempt({ task_id: taskId, fence }: Pick<TaskOffer, "task_id" | "fence"> = this.offer) {
    return { peerId: this.id, epoch: this.epoch, taskId, fence };
  }
  successInput(result: Json, { task_id, fence }: TaskOffer = this.offer): Input<"finish_task"> {
    const outcome = { task_id, fence, ok: true, result: exactJsonOf(result) } as const;
    return { peerId: this.id, epoch: this.epoch, outcome };
  }
  failureInput(error: string, retry = true): Input<"finish_task"> {
    const { task_id, fence } = this.offer;
    const outcome = { task_id, fence, ok: false, error, retry } as const;
    return { peerId: this.id, epoch: this.epoch, outcome };
  }

  earn = (slots: number): this => earnSlots(this.mesh, this, slots);
  announce(announced: Input<"announce">["announced"]): void {
    this.mesh.run("announce", { peerId: this.id, epoch: this.epoch, announced });
  }
  accept(queued = false): void {
    this.mesh.run("accept_task", { ...this.attempt(), queued });
  }
  refuse(reason = "busy"): void {
    this.mesh.run("refuse_task", { ...this.attempt(), reason });
  }
  progress(progress: number | null = null, message: string | null = null): void {
    this.mesh.run("progress_task", { ...this.attempt(), progress, message });
  }
  finish(result: Json = "done"): void {
    this.mesh.run("finish_task", this.successInput(result));
  }
  fail(error = "it broke", retry = true): void {
    this.mesh.run("finish_task", this.failureInput(error, retry));
  }
  /** Reports an observation, as its session does; returns whether the peer is suspect afterwards. */
  observe(event: "answered" | "missed_answer", rttMs: number | null = null): boolean {
    const rtt = rttMs === null ? null : sampleRtt(null, rttMs);
    const of = { peerId: this.id, epoch: this.epoch, seq: ++this.observationSeq };
    return this.mesh.run("observe", { ...of, event, rtt }).suspect;
  }
  leave(reason = "the connection closed", silent = false): void {
    this.mesh.run("gone", { peerId: this.id, epoch: this.epoch, reason, silent });
  }
}
