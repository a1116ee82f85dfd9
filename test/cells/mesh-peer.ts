import { exactJsonOf } from "../../src/base/json-text/json-text.ts";
import { homeOf } from "../../src/cells/topology.ts";
import type { CommandAnswer, Output, SessionCommand } from "../../src/contract/commands.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { ANNOUNCED, type Announced } from "../coordinator/announced.ts";
import { testKey, type Key } from "../coordinator/keys.ts";
import { must, present } from "../must.ts";
import type { CellMesh } from "./cell-mesh.ts";

/** A peer of a mesh of cells, whose messages the test sends. */
export class MeshPeer {
  readonly mesh: CellMesh;
  readonly key: Key;
  session = "";
  epoch = 0;
  seq = 0;
  /** Its sessions, and how many offers of each were answered. */
  readonly #answered = new Map<string, number>();

  constructor(mesh: CellMesh, key: Key) {
    this.mesh = mesh;
    this.key = key;
  }

  get id(): string {
    return this.key.id;
  }

  /** Begins a session; throws if the mesh does not admit the peer. */
  async join(announced: Announced = {}): Promise<this> {
    must(await this.tryJoin(announced));
    return this;
  }

  /** The answer says whether the mesh admits the peer. */
  async tryJoin(announced: Announced = {}): Promise<CommandAnswer> {
    const session = `${this.id} ${this.#answered.size + 1}`;
    this.#answered.set(session, 0);
    const { id: peerId, publicKey } = this.key;
    const input = { ...ANNOUNCED, ...announced, peerId, publicKey, session };
    const answer = await this.send({ name: "admit", input });
    if (answer.ok) {
      this.session = session;
      this.seq = 0;
      this.epoch = (answer.value as Output<"admit">).epoch;
    }
    return answer;
  }

  leave(silent = false): Promise<CommandAnswer> {
    const input = { peerId: this.id, epoch: this.epoch, reason: "it left", silent };
    return this.send({ name: "gone", input });
  }

  async send(command: SessionCommand): Promise<CommandAnswer> {
    const [answer] = await this.mesh.session(command);
    return present(answer);
  }

  /** How many offers all of its sessions have got. */
  get offered(): number {
    let offers = 0;
    for (const session of this.#answered.keys()) offers += this.mesh.inbox(session).offers.length;
    return offers;
  }

  get offers(): readonly TaskOffer[] {
    return this.mesh.inbox(this.session).offers;
  }

  /** The oldest offer that was not answered, of any of its sessions; null if there is none. */
  nextOffer(): TaskOffer | null {
    for (const [session, answered] of this.#answered) {
      const offer = this.mesh.inbox(session).offers[answered];
      if (offer === undefined) continue;
      this.#answered.set(session, answered + 1);
      return offer;
    }
    return null;
  }

  /** Reports that it has answered a ping. */
  observe(): Promise<CommandAnswer> {
    const { id: peerId, epoch } = this;
    const input = { peerId, epoch, seq: ++this.seq, event: "answered", rtt: null } as const;
    return this.send({ name: "observe", input });
  }

  attempt({ task_id: taskId, fence }: TaskOffer) {
    return { peerId: this.id, epoch: this.epoch, taskId, fence };
  }

  accept(offer: TaskOffer): Promise<CommandAnswer> {
    return this.send({ name: "accept_task", input: this.attempt(offer) });
  }

  finish({ task_id, fence }: TaskOffer): Promise<CommandAnswer> {
    const outcome = { task_id, fence, ok: true, result: exactJsonOf(this.id) } as const;
    const { id: peerId, epoch } = this;
    return this.send({ name: "finish_task", input: { peerId, epoch, outcome } });
  }

  /** Does everything that it is offered; returns how many tasks. */
  async work(): Promise<number> {
    for (let done = 0; ; done++) {
      const offer = this.nextOffer();
      if (offer === null) return done;
      await this.accept(offer);
      await this.finish(offer);
    }
  }
}

/** A key of a peer whose home is this cell, in the mesh as its callers know it. */
export function keyAt(mesh: CellMesh, cell: number, nth = 0): Key {
  let left = nth;
  for (let seed = 1_000; ; seed++) {
    const key = testKey(seed);
    if (homeOf(mesh.known, key.id) === cell && left-- === 0) return key;
  }
}
