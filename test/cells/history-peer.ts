import type { CommandAnswer } from "../../src/contract/commands.ts";
import type { TaskOffer } from "../../src/protocol/messages.ts";
import { MeshPeer } from "./mesh-peer.ts";

const ANNOUNCES = { kinds: ["a"], slots: 2 };

/** A peer in a history, where it is revoked and readmitted, too. */
export class HistoryPeer extends MeshPeer {
  /** Offers that it has taken and not answered. */
  readonly held: TaskOffer[] = [];
  /** How many offers it had when its revocation was confirmed; null unless it was, or if a later call may have readmitted it. */
  revokedWith: number | null = null;
  #readmissions = 0;
  #readmissionsUnderWay = 0;

  /** Joins; true if it is admitted although its revocation was confirmed before, and nobody has readmitted it. */
  async joinsWrongly(): Promise<boolean> {
    const wasRevoked = this.revokedWith !== null;
    const before = this.#readmissions;
    const joined = await this.tryJoin(ANNOUNCES);
    return joined.ok && wasRevoked && this.#readmissions === before;
  }

  /** Joins, unless it is revoked. */
  async comeBack(): Promise<void> {
    if (this.revokedWith === null) await this.tryJoin(ANNOUNCES);
  }

  async revoke(): Promise<void> {
    const [before, underWay] = [this.#readmissions, this.#readmissionsUnderWay];
    const revoked = await this.mesh.call("revoke_peer", { id: this.id });
    // A readmission at the same time may come after it.
    if (revoked.ok && underWay === 0 && this.#readmissions === before)
      this.revokedWith ??= this.offered;
  }

  /** The peer is on the allowlist, also if it was revoked. */
  async readmit(): Promise<CommandAnswer> {
    this.revokedWith = null;
    this.#readmissions++;
    this.#readmissionsUnderWay++;
    const { publicKey, id: peerId } = this.key;
    const entry = { publicKey, peerId, label: "p", roles: ["worker" as const], go_p2p: false };
    try {
      return await this.mesh.call("allow", { ...entry, readmit: true });
    } finally {
      this.#readmissionsUnderWay--;
    }
  }

  async giveUp(offer: TaskOffer, how: "refuse" | "fail"): Promise<void> {
    const { task_id, fence } = offer;
    const { id: peerId, epoch } = this;
    const outcome = { task_id, fence, ok: false, error: "no", retry: true } as const;
    await (how === "refuse"
      ? this.send({ name: "refuse_task", input: { ...this.attempt(offer), reason: "no" } })
      : this.send({ name: "finish_task", input: { peerId, epoch, outcome } }));
  }
}
