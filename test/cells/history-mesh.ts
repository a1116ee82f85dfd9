import { HOUR, MINUTE } from "../../src/base/clock.ts";
import { homeOf } from "../../src/cells/topology.ts";
import type { SubmitTaskInput } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { submission } from "../coordinator/submission.ts";
import { testKey, type Key } from "../coordinator/keys.ts";
import { must } from "../must.ts";
import { CellMesh } from "./cell-mesh.ts";
import { HeldActs } from "./held-acts.ts";
import { PEERS, type Act } from "./history-acts.ts";
import { HistoryPeer } from "./history-peer.ts";
import { HistoryFacts } from "./history-facts.ts";
import { faultsAmong, type Fault } from "./transport.ts";

const KEYPAIRS: readonly Key[] = Array.from({ length: PEERS + 1 }, (_, n) => testKey(7_000 + n));

/** The tasks that are submitted: plain ones, a rare kind, a named peer, a concurrency key. */
const TASKS: readonly SubmitTaskInput[] = [
  { kind: "a" },
  { kind: "a" },
  { kind: "b" },
  { kind: "a", requirements: { capabilities: [], peer_id: (KEYPAIRS[PEERS] as Key).id } },
  { kind: "a", concurrency: { key: "one", limit: 1 } },
];

const FAULTS = faultsAmong(3);

/** How often the clock goes to what is due next, until a history must have ended. */
const ALARMS_MAX = 200;
const HURRIED = 40;

/** After so many alarms all peers join again, and answer pings from then on: a task may wait for the one that had begun it. */
const PATIENCE = 3;

/**
 * A mesh of cells that goes through one history after the other. In each, calls are lost, repeated, delayed and reordered, and cells crash;
 * at its end everything answers again, and what was begun ends. The next history begins with what is there then.
 */
export class HistoryMesh {
  readonly mesh: CellMesh;
  readonly peers: readonly HistoryPeer[];
  /** What has happened in the history that goes on. */
  facts = new HistoryFacts();
  /** The tasks that a caller wanted to cancel, in any history: one may be told of a task of before. */
  readonly cancelled = new Set<string>();
  /** The tasks that callers were told of, in all histories. */
  readonly tasks = new Set<string>();
  /** Whether any cell has crashed. */
  hasCrashed = false;
  #histories = 0;

  constructor(seed: number, cells: number) {
    const authMode = seed % 2 === 0 ? "open" : "allowlist";
    const balances = seed % 4 < 2;
    this.mesh = new CellMesh({ cells, seed, publishes: false, balances, config: { authMode } });
    this.peers = KEYPAIRS.map((key) => new HistoryPeer(this.mesh, key));
  }

  /** All peers are on the allowlist. */
  async begin(): Promise<void> {
    for (const peer of this.peers) must(await peer.readmit());
    await this.mesh.drain();
  }

  async run(acts: readonly Act[]): Promise<void> {
    const { mesh } = this;
    this.#histories++;
    this.facts = new HistoryFacts();
    const held = new HeldActs(mesh, 10);
    const { transport, random } = mesh;
    transport.isHeld = true;
    transport.faultOf = (_, names) => {
      const fault = FAULTS[Math.floor(random() * FAULTS.length)] as Fault;
      // One that arrives again after a later revocation would undo it.
      return fault === "repeated" && names[0] === "allow" ? "none" : fault;
    };
    for (const act of acts) {
      await held.begun(this.#perform(act));
      this.#countRunning();
    }
    transport.faultOf = () => "none";
    transport.down.clear();
    await mesh.drain();
    transport.isHeld = false;
    await mesh.drain();
    await held.ended();
    await this.#settle();
    for (const id of this.facts.accepted) this.tasks.add(id);
  }

  /** Everybody on the allowlist again, and the peer that does everything gone. */
  async renew(): Promise<void> {
    for (const peer of this.peers) if (peer.revokedWith !== null) must(await peer.readmit());
    await this.#last.leave();
  }

  /** Some hours pass: what has expired is removed. */
  async passHours(): Promise<void> {
    this.mesh.now += 3 * HOUR;
    for (const cell of this.mesh.cells) void cell.tick();
    await this.mesh.drain();
  }

  home(id: string): number {
    return homeOf(this.mesh.cellOf(0).registry.cells.topology, id);
  }

  readonly keyName = (key: number, ago = 0): string => `${this.#histories - ago}/${key}`;

  /** A peer that does everything joins, and every task ends. */
  async #settle(): Promise<void> {
    const { mesh } = this;
    // Cell 0 may have been down.
    if (this.facts.changesCells) void mesh.cellOf(0).tick();
    let hasJoined = false;
    for (let alarms = 0; alarms < ALARMS_MAX; alarms++) {
      await mesh.drain();
      // While it moves to another cell, it is refused.
      hasJoined ||= (await this.#last.tryJoin({ kinds: ["*"], slots: 8 })).ok;
      if (alarms === PATIENCE) for (const peer of this.peers.slice(0, PEERS)) await peer.comeBack();
      if (alarms > PATIENCE) for (const peer of this.peers) await peer.observe();
      for (const peer of this.peers) await this.#workAll(peer);
      this.#countRunning();
      if (this.#isSettled()) return;
      // A look for room is due each second as long as a task waits, which may be an hour.
      if (alarms > HURRIED) mesh.now += MINUTE;
      mesh.ring({ atNext: true });
    }
    const left = mesh.cells.map(({ rows }) => rows(UNSETTLED));
    throw new Error(`the history does not end: ${JSON.stringify(left)}`);
  }

  /** No task is open, and nothing is under way between cells. */
  #isSettled(): boolean {
    const { topology } = this.mesh.cellOf(0).registry.cells;
    return this.mesh.cells.every(
      ({ number, rows }) =>
        rows(UNSETTLED).length === 0 &&
        (topology.cells[number] !== "active" || rows(UNFETCHED + topology.version).length === 0),
    );
  }

  #countRunning(): void {
    if (!this.facts.usesConcurrency) return;
    let running = 0;
    for (const { rows } of this.mesh.cells) running += Number(rows(RUNNING)[0]?.["n"]);
    this.facts.mostAtOnce = Math.max(this.facts.mostAtOnce, running);
  }

  async #perform(act: Act): Promise<void> {
    const { mesh, facts } = this;
    switch (act.type) {
      case "submit":
        return this.#submit(act.key === null ? null : this.keyName(act.key, act.ago), act.task);
      case "batch":
        return this.#submitBatch(
          act.key === null ? null : `batch ${this.keyName(act.key, act.ago)}`,
          act.tasks,
        );
      case "caller":
        mesh.caller = mesh.callers[act.caller] ?? mesh.caller;
        return;
      case "join": {
        const peer = this.#peer(act.peer);
        if (await peer.joinsWrongly()) facts.wronglyAdmitted.push(peer.id);
        return;
      }
      case "leave":
        return void (await this.#peer(act.peer).leave());
      case "observe":
        return void (await this.#peer(act.peer).observe());
      case "revoke":
        return this.#peer(act.peer).revoke();
      case "readmit":
        return void (await this.#peer(act.peer).readmit());
      case "accept": {
        const peer = this.#peer(act.peer);
        const offer = this.#take(peer);
        if (offer !== null) await peer.accept(offer);
        return;
      }
      case "finish":
        return this.#finish(this.#peer(act.peer));
      case "refuse":
      case "fail":
        return this.#giveUp(this.#peer(act.peer), act.type);
      case "cancel":
      case "retry": {
        const id = [...facts.accepted][act.nth];
        if (id === undefined) return;
        if (act.type === "cancel") this.cancelled.add(id);
        await mesh.call(act.type === "cancel" ? "cancel_task" : "retry_task", {
          id,
          visibleTo: null,
        });
        return;
      }
      case "crash":
        this.hasCrashed = true;
        return mesh.cells[act.cell]?.crash();
      case "down":
        return void mesh.transport.down.add(act.cell);
      case "up":
        return void mesh.transport.down.delete(act.cell);
      case "wait":
        mesh.now += 1_000 * act.seconds;
        return mesh.ring({ atNext: false });
      case "cells":
        facts.changesCells = true;
        mesh.setCells(act.cells);
        return mesh.transport.down.has(0) ? undefined : mesh.cellOf(0).tick();
      default:
        act satisfies never;
    }
  }

  async #submit(key: string | null, form: number): Promise<void> {
    const idempotency = key === null ? null : { scope: "admin", key };
    const task = { ...(TASKS[form] as SubmitTaskInput), payload: key };
    this.facts.usesConcurrency ||= task.concurrency !== undefined;
    const answer = await this.mesh.call("submit_task", submission(task, { idempotency }));
    if (answer.ok) this.facts.accept(answer.value.task.id, key);
  }

  async #submitBatch(key: string | null, forms: readonly number[]): Promise<void> {
    const nameOf = (at: number): string | null => (key === null ? null : `${key} ${at}`);
    const tasks = forms.map((form, at) => {
      const task = { ...(TASKS[form] as SubmitTaskInput), payload: nameOf(at) };
      this.facts.usesConcurrency ||= task.concurrency !== undefined;
      return submission(task).task;
    });
    const idempotency = key === null ? null : { scope: "admin", key };
    const batch = { tasks, source: "api", owner: "admin", idempotency } as const;
    const answer = await this.mesh.call("submit_batch", batch);
    if (!answer.ok) return;
    for (const [at, result] of answer.value.results.entries())
      if ("task" in result) this.facts.accept(result.task.id, nameOf(at));
  }

  /** A peer takes the oldest offer that it has not taken; null if there is none. */
  #take(peer: HistoryPeer): TaskOffer | null {
    const offer = peer.nextOffer();
    if (offer === null) return null;
    this.facts.offer(offer, peer.id);
    peer.held.push(offer);
    return offer;
  }

  async #finish(peer: HistoryPeer): Promise<void> {
    const offer = peer.held.shift();
    if (offer === undefined) return;
    const answer = await peer.finish(offer);
    if (answer.ok) this.facts.commit(offer);
  }

  async #giveUp(peer: HistoryPeer, how: "refuse" | "fail"): Promise<void> {
    if (peer.held.length === 0) this.#take(peer);
    const offer = peer.held.shift();
    if (offer !== undefined) await peer.giveUp(offer, how);
  }

  async #workAll(peer: HistoryPeer): Promise<void> {
    while (this.#take(peer) !== null);
    while (peer.held.length > 0) await this.#finish(peer);
  }

  get #last(): HistoryPeer {
    return this.#peer(PEERS);
  }

  #peer(index: number): HistoryPeer {
    return this.peers[index] as HistoryPeer;
  }
}

/** Tasks that are open, and what is under way between cells. */
const UNSETTLED = `SELECT id FROM tasks WHERE ended_at IS NULL UNION ALL SELECT 'a message' FROM cell_messages
  UNION ALL SELECT peer_id FROM departed_peers
  UNION ALL SELECT kind FROM outbox WHERE kind IN ('send_to_cell', 'pull_peers', 'end_session') LIMIT 3`;

/** Peers of other cells that belong here. */
const UNFETCHED = `SELECT 1 FROM peer_pulls WHERE done = 0 AND version = `;

const RUNNING = `SELECT COUNT(*) AS n FROM tasks LEFT JOIN task_arrivals ON task_id = id
  WHERE lease_until IS NOT NULL AND (concurrency_key IS NOT NULL OR concurrency IS NOT NULL)`;
