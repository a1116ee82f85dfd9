import type { CommandAnswer } from "../../src/contract/commands.ts";
import { homeOf } from "../../src/cells/topology.ts";
import { submission } from "../coordinator/submission.ts";
import { CellMesh } from "./cell-mesh.ts";
import { HeldActs } from "./held-acts.ts";
import { CellPeer } from "./cell-peer.ts";
import type { Fault } from "./transport.ts";

export const PEERS = 5;
export const KEYS = 6;

export type Act =
  | {
      readonly type: "join" | "leave" | "observe" | "work" | "revoke" | "readmit";
      readonly peer: number;
    }
  | { readonly type: "submit"; readonly key: number }
  | { readonly type: "submit_plain" }
  | { readonly type: "cells"; readonly cells: number }
  | { readonly type: "crash" | "down" | "up"; readonly cell: number }
  | { readonly type: "tick" };

const FAULTS: readonly Fault[] = [
  "none",
  "none",
  "none",
  "none",
  "request_lost",
  "answer_lost",
  "repeated",
];

/** Calls that readmit a peer. */
interface Readmissions {
  readonly begun: number;
  readonly underWay: number;
}

/** A history of a mesh whose number of cells changes, while calls are lost, repeated and delayed and cells crash. */
export class GrowthHistory {
  readonly mesh: CellMesh;
  readonly peers: CellPeer[];
  /** The tasks that each key was answered with. */
  readonly answered = new Map<number, Set<string>>();
  /** Peers of which a revocation was confirmed, and that no later call may have readmitted. */
  readonly revoked = new Set<number>();
  /** Sessions that were admitted although a revocation was confirmed before the peer asked. */
  readonly wronglyAdmitted: string[] = [];
  readonly #acts: HeldActs;

  constructor(seed: number, cells: number) {
    this.mesh = new CellMesh({ cells, seed, config: { authMode: "allowlist" } });
    this.peers = Array.from({ length: PEERS }, (_, n) => new CellPeer(this.mesh, 9_000 + n));
    this.#acts = new HeldActs(this.mesh, 12);
  }

  async begin(): Promise<void> {
    for (const peer of this.peers) {
      await this.#allow(peer);
      await peer.join();
    }
    this.mesh.transport.isHeld = true;
    const { transport, random } = this.mesh;
    transport.faultOf = (_, names) => {
      const fault = FAULTS[Math.floor(random() * FAULTS.length)] as Fault;
      // One that arrives again after a later revocation would undo it.
      return fault === "repeated" && names[0] === "allow" ? "none" : fault;
    };
  }

  /** Begins an act, and lets some calls arrive. */
  async act(act: Act): Promise<void> {
    await this.#acts.begun(this.#perform(act));
  }

  /** No more faults: everything that is under way ends. */
  async end(): Promise<void> {
    const { transport } = this.mesh;
    transport.faultOf = () => "none";
    transport.down.clear();
    await this.mesh.drain();
    transport.isHeld = false;
    await this.mesh.drain();
    await this.#acts.ended();
    await this.mesh.settle(8);
    for (const peer of this.peers) await peer.work();
    await this.mesh.settle(8);
  }

  readonly home = (id: string): number => {
    return homeOf(this.mesh.cellOf(0).registry.cells.topology, id);
  };

  async #perform(act: Act): Promise<void> {
    const { mesh } = this;
    switch (act.type) {
      case "join":
        return this.#join(act.peer);
      case "leave":
        return this.#peer(act.peer).leave();
      case "observe":
        return void (await this.#peer(act.peer).observe());
      case "work":
        return this.#peer(act.peer).work();
      case "revoke":
        return this.#revoke(act.peer);
      case "readmit":
        return this.#readmit(act.peer);
      case "submit":
        return this.#submit(act.key);
      case "submit_plain":
        return void (await mesh.call("submit_task", submission({ kind: "a", payload: "plain" })));
      case "cells":
        mesh.setCells(act.cells);
        return void (await mesh.call("get_auth_mode", {}));
      case "crash":
        return mesh.cells[act.cell]?.crash();
      case "down":
        return void (act.cell < mesh.cells.length && mesh.transport.down.add(act.cell));
      case "up":
        return void mesh.transport.down.delete(act.cell);
      case "tick":
        mesh.now += 5_000;
        for (const cell of mesh.cells) void cell.tick();
        return;
      default:
        act satisfies never;
    }
  }

  async #revoke(index: number): Promise<void> {
    const before = this.#readmissionsOf(index);
    const revoked = await this.mesh.call("revoke_peer", { id: this.#peer(index).id });
    const after = this.#readmissionsOf(index);
    // A readmission at the same time may come after it.
    if (revoked.ok && before.underWay === 0 && after.begun === before.begun)
      this.revoked.add(index);
  }

  async #readmit(index: number): Promise<void> {
    this.revoked.delete(index);
    const { begun, underWay } = this.#readmissionsOf(index);
    this.#readmissions.set(index, { begun: begun + 1, underWay: underWay + 1 });
    await this.#allow(this.#peer(index)).finally(() => {
      const ended = this.#readmissionsOf(index);
      this.#readmissions.set(index, { ...ended, underWay: ended.underWay - 1 });
    });
  }

  readonly #readmissions = new Map<number, Readmissions>();
  readonly #readmissionsOf = (index: number): Readmissions =>
    this.#readmissions.get(index) ?? { begun: 0, underWay: 0 };

  async #join(index: number): Promise<void> {
    const peer = this.#peer(index);
    const wasRevoked = this.revoked.has(index);
    const { begun } = this.#readmissionsOf(index);
    const joined = await peer.join();
    const isReadmitted = this.#readmissionsOf(index).begun !== begun;
    if (joined.ok && wasRevoked && !isReadmitted) this.wronglyAdmitted.push(peer.id);
  }

  async #submit(key: number): Promise<void> {
    const idempotency = { scope: "admin", key: `key ${key}` };
    const task = submission({ kind: "a", payload: `key ${key}` }, { idempotency });
    const answer = await this.mesh.call("submit_task", task);
    if (!answer.ok) return;
    const ids = this.answered.get(key) ?? new Set<string>();
    this.answered.set(key, ids.add(answer.value.task.id));
  }

  #allow({ key: { publicKey, id: peerId } }: CellPeer): Promise<CommandAnswer> {
    const entry = { publicKey, peerId, label: "p", roles: ["worker" as const], go_p2p: false };
    return this.mesh.call("allow", { ...entry, readmit: true });
  }

  #peer(index: number): CellPeer {
    return this.peers[index] as CellPeer;
  }
}
