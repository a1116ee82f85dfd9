import { submission } from "../coordinator/submission.ts";
import type { SubmitTaskInput } from "../../src/protocol/http.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { testKey, type Key } from "../coordinator/keys.ts";
import { CellMesh } from "./cell-mesh.ts";
import { HeldActs } from "./held-acts.ts";
import { MeshPeer } from "./mesh-peer.ts";
import type { Fault } from "./transport.ts";

export const CELLS = 3;
export const PEERS = 4;
export const KEYS = 3;
const KEYPAIRS: readonly Key[] = Array.from({ length: PEERS + 2 }, (_, n) => testKey(7_000 + n));

export type Act =
  | { readonly type: "submit"; readonly key: number | null; readonly task: number }
  | { readonly type: "join" | "leave" | "revoke"; readonly peer: number }
  | { readonly type: "accept" | "finish" | "refuse" | "fail"; readonly peer: number }
  | { readonly type: "cancel" | "retry"; readonly nth: number }
  | { readonly type: "crash" | "down" | "up"; readonly cell: number }
  | { readonly type: "wait"; readonly seconds: number };

/** The tasks that are submitted: plain ones, a rare kind, a named peer, a concurrency key. */
const TASKS: readonly SubmitTaskInput[] = [
  { kind: "a" },
  { kind: "a" },
  { kind: "b" },
  { kind: "a", requirements: { capabilities: [], peer_id: (KEYPAIRS[PEERS] as Key).id } },
  { kind: "a", concurrency: { key: "one", limit: 1 } },
];
export const TASK_FORMS = TASKS.length;

const FAULTS: readonly Fault[] = [
  "none",
  "none",
  "none",
  "request_lost",
  "answer_lost",
  "repeated",
];

/** A history of tasks in a mesh of cells, while calls are lost, repeated, delayed and reordered and cells crash. */
export class TaskHistory {
  readonly mesh: CellMesh;
  readonly peers: readonly MeshPeer[];
  /** The tasks that callers were told of, and the keys under which they were submitted. */
  readonly accepted = new Map<string, number | null>();
  readonly cancelled = new Set<string>();
  /** The attempts whose result was taken, by their tasks. */
  readonly committed = new Map<string, Set<number>>();
  /** How many offers each revoked peer had when its revocation was confirmed. */
  readonly revoked = new Map<number, number>();
  readonly #held = new Map<number, TaskOffer[]>();
  readonly #acts: HeldActs;
  #mostAtOnce = 0;

  constructor(seed: number) {
    this.mesh = new CellMesh({ cells: CELLS, seed, publishes: false });
    this.peers = KEYPAIRS.map((key) => new MeshPeer(this.mesh, key));
    this.#acts = new HeldActs(this.mesh, 10);
  }

  /** The most tasks of the concurrency key that were begun at once. */
  get mostAtOnce(): number {
    return this.#mostAtOnce;
  }

  async begin(): Promise<void> {
    await this.mesh.call("get_auth_mode", {});
    await this.mesh.drain();
    const { transport, random } = this.mesh;
    transport.isHeld = true;
    transport.faultOf = () => FAULTS[Math.floor(random() * FAULTS.length)] as Fault;
  }

  /** Begins an act, and lets some calls arrive. */
  async act(act: Act): Promise<void> {
    await this.#acts.begun(this.#perform(act));
    this.#countRunning();
  }

  /** No more faults: two peers that do everything join, and every task ends. */
  async end(): Promise<void> {
    const { mesh } = this;
    mesh.transport.faultOf = () => "none";
    mesh.transport.down.clear();
    await mesh.drain();
    mesh.transport.isHeld = false;
    await mesh.drain();
    await this.#acts.ended();
    for (const [at, peer] of this.peers.entries()) {
      const joined = peer.join({ kinds: at < PEERS ? ["a"] : ["*"], slots: 2 });
      // The answer to a revocation may have been lost. The last two peers do everything.
      await (at < PEERS ? joined.catch(() => {}) : joined);
    }
    for (let round = 0; round < 60 && !this.#isDone(); round++) {
      mesh.now += round < 12 ? 1_000 : 30_000;
      for (const cell of mesh.cells) void cell.tick();
      await mesh.drain();
      this.#countRunning();
      for (const [at, peer] of this.peers.entries()) {
        if (!this.revoked.has(at)) await peer.observe();
        await this.#workAll(at);
      }
      await mesh.drain();
    }
  }

  /** The cells that have a task, with its state. */
  placesOf(id: string): readonly { readonly cell: number; readonly state: string }[] {
    return this.mesh.cells.flatMap(({ number, registry }) => {
      const task = registry.tasks.get(id);
      return task === null ? [] : [{ cell: number, state: task.state }];
    });
  }

  #isDone(): boolean {
    return this.mesh.cells.every(
      ({ rows }) =>
        Number(
          rows(
            `SELECT (SELECT COUNT(*) FROM tasks WHERE ended_at IS NULL) + (SELECT COUNT(*) FROM cell_messages) AS n`,
          )[0]?.["n"],
        ) === 0,
    );
  }

  #countRunning(): void {
    const running = this.mesh.cells.reduce(
      (sum, { rows }) =>
        sum +
        Number(
          rows(
            `SELECT COUNT(*) AS n FROM tasks LEFT JOIN task_arrivals ON task_id = id
             WHERE lease_until IS NOT NULL AND (concurrency_key IS NOT NULL OR concurrency IS NOT NULL)`,
          )[0]?.["n"],
        ),
      0,
    );
    this.#mostAtOnce = Math.max(this.#mostAtOnce, running);
  }

  async #perform(act: Act): Promise<void> {
    const { mesh } = this;
    switch (act.type) {
      case "submit":
        return this.#submit(act.key, TASKS[act.task] as SubmitTaskInput);
      case "join":
        return void (await this.#peer(act.peer).join({ kinds: ["a"], slots: 2 }));
      case "leave": {
        const { id: peerId, epoch } = this.#peer(act.peer);
        const input = { peerId, epoch, reason: "closed", silent: false };
        return void (await this.#peer(act.peer).send({ name: "gone", input }));
      }
      case "revoke": {
        const { id } = this.#peer(act.peer);
        const revoked = await mesh.call("revoke_peer", { id });
        if (revoked.ok) this.revoked.set(act.peer, this.offersOf(act.peer));
        return;
      }
      case "accept": {
        const offer = this.#peer(act.peer).nextOffer();
        if (offer === null) return;
        this.#heldBy(act.peer).push(offer);
        return void (await this.#peer(act.peer).accept(offer));
      }
      case "finish":
        return this.#finish(act.peer, this.#heldBy(act.peer).shift());
      case "refuse":
      case "fail":
        return this.#giveUp(act.peer, act.type);
      case "cancel":
      case "retry": {
        const id = [...this.accepted.keys()][act.nth];
        if (id === undefined) return;
        const name = act.type === "cancel" ? "cancel_task" : "retry_task";
        const answer = await mesh.call(name, { id, visibleTo: null });
        if (answer.ok && act.type === "cancel") this.cancelled.add(id);
        return;
      }
      case "crash":
        return mesh.cells[act.cell]?.crash();
      case "down":
        return void mesh.transport.down.add(act.cell);
      case "up":
        return void mesh.transport.down.delete(act.cell);
      case "wait":
        mesh.now += 1_000 * act.seconds;
        for (const cell of mesh.cells) if (!mesh.transport.down.has(cell.number)) void cell.tick();
        return;
      default:
        act satisfies never;
    }
  }

  /** All offers that a peer's sessions have got. */
  offersOf(peer: number): number {
    const { id } = this.#peer(peer);
    let offers = 0;
    for (const [session, inbox] of this.mesh.sessions)
      if (session.startsWith(`${id} `)) offers += inbox.offers.length;
    return offers;
  }

  async #submit(key: number | null, task: SubmitTaskInput): Promise<void> {
    const idempotency = key === null ? null : { scope: "admin", key: `key ${key}` };
    const input = submission(task, { idempotency });
    const answer = await this.mesh.call("submit_task", input);
    if (answer.ok) this.accepted.set(answer.value.task.id, key);
  }

  async #finish(peer: number, offer: TaskOffer | undefined): Promise<void> {
    if (offer === undefined) return;
    const answer = await this.#peer(peer).finish(offer);
    if (!answer.ok) return;
    const fences = this.committed.get(offer.task_id) ?? new Set();
    this.committed.set(offer.task_id, fences.add(offer.fence));
  }

  async #giveUp(peer: number, how: "refuse" | "fail"): Promise<void> {
    const of = this.#peer(peer);
    const offer = this.#heldBy(peer).shift() ?? of.nextOffer();
    if (offer === null) return;
    const { task_id, fence } = offer;
    const outcome = { task_id, fence, ok: false, error: "no", retry: true } as const;
    await (how === "refuse"
      ? of.send({ name: "refuse_task", input: { ...of.attempt(offer), reason: "no" } })
      : of.send({ name: "finish_task", input: { peerId: of.id, epoch: of.epoch, outcome } }));
  }

  async #workAll(peer: number): Promise<void> {
    for (const offer of this.#heldBy(peer).splice(0)) await this.#finish(peer, offer);
    for (;;) {
      const offer = this.#peer(peer).nextOffer();
      if (offer === null) return;
      await this.#finish(peer, offer);
    }
  }

  #heldBy(peer: number): TaskOffer[] {
    const held = this.#held.get(peer) ?? [];
    this.#held.set(peer, held);
    return held;
  }

  #peer(index: number): MeshPeer {
    return this.peers[index] as MeshPeer;
  }
}
