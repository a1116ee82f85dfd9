import type { AdmitInput, Admitted } from "../../src/contract/admission.ts";
import type { CommandAnswer, SessionCommand } from "../../src/contract/commands.ts";
import { homeOf } from "../../src/cells/topology.ts";
import { ANNOUNCED, type Announced } from "../coordinator/announced.ts";
import { testKey, type Key } from "../coordinator/keys.ts";
import { present } from "../must.ts";
import type { CellMesh } from "./cell-mesh.ts";

/** A peer of a mesh of cells: what it reports, and what its session was told. */
export class CellPeer {
  readonly #mesh: CellMesh;
  readonly key: Key;
  epoch = 0;
  admitted: Admitted | null = null;
  #sessions = 0;

  constructor(mesh: CellMesh, key: Key) {
    this.#mesh = mesh;
    this.key = key;
  }

  get id(): string {
    return this.key.id;
  }

  get session(): string {
    return `${this.id} ${this.#sessions}`;
  }

  async join(
    announced: Announced & Pick<Partial<AdmitInput>, "dial"> = {},
  ): Promise<CommandAnswer> {
    this.#sessions++;
    const input = {
      ...ANNOUNCED,
      protocol: "muster/2" as const,
      ...announced,
      peerId: this.id,
      publicKey: this.key.publicKey,
      session: this.session,
    };
    const answer = await this.send({ name: "admit", input });
    if (answer.ok) {
      this.admitted = answer.value as Admitted;
      this.epoch = this.admitted.epoch;
    }
    return answer;
  }

  leave(silent = false): Promise<CommandAnswer> {
    const input = { peerId: this.id, epoch: this.epoch, reason: "it left", silent };
    return this.send({ name: "gone", input });
  }

  async send(command: SessionCommand): Promise<CommandAnswer> {
    const [answer] = await this.#mesh.session(command);
    return present(answer);
  }
}

/** Keys of peers in each of a mesh's cells. The mesh's callers know its cells. */
export function keysOfCells(mesh: CellMesh, each: number): readonly Key[][] {
  const keys: Key[][] = Array.from(mesh.known.cells, () => []);
  for (let seed = 1; keys.some(({ length }) => length < each); seed++) {
    const key = testKey(seed);
    const own = keys[homeOf(mesh.known, key.id)];
    if (own !== undefined && own.length < each) own.push(key);
  }
  return keys;
}
