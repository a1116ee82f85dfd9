import { replicate } from "../../src/coordinator/outbox/replicate.ts";
import { SECOND } from "../../src/base/clock.ts";
import { platformVerify } from "../../src/crypto/ed25519.ts";
import { storeRecord } from "../../src/discovery/publisher.ts";
import { Replica } from "../../src/discovery/replica.ts";
import { verifierOf } from "../../src/discovery/signed.ts";
import { PointerQuery } from "../../src/protocol/http.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import { TestMesh } from "../coordinator/mesh.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { MemoryStore } from "./memory-store.ts";

/** A mesh, its own store, the store that it copies to, and a replica on that. */
export class ReplicatedMesh {
  readonly mesh: TestMesh;
  readonly own: MemoryStore;
  readonly copies: MemoryStore;
  replica!: Replica;
  /** Signatures that replicas have checked. */
  verifications = 0;
  /** Told to the replica's owner. */
  readonly failures: unknown[] = [];
  /** The replica's clock is ahead of the mesh's, so that it looks anew each time. */
  #ahead = 0;
  #stored = 0;

  constructor(discovery: Partial<CoordinatorConfig["discovery"]> = {}, replicated = true) {
    const { config } = new TestMesh();
    this.mesh = new TestMesh({
      config: { discovery: { ...config.discovery, ...discovery, replicated } },
    });
    this.own = new MemoryStore(() => this.mesh.now);
    this.copies = new MemoryStore(() => this.mesh.now);
  }

  /** A replica that has seen nothing yet. */
  async open(anybody = true): Promise<void> {
    const { verifyingKey } = this.mesh.config.discovery;
    const verify = await platformVerify();
    const verifier = verifierOf(verifyingKey, (...signed) => {
      this.verifications++;
      return verify(...signed);
    });
    const now = () => this.mesh.now + (this.#ahead += 3 * SECOND);
    const onFailure = (error: unknown) => this.failures.push(error);
    this.replica = new Replica({ store: this.copies, verifier, now, isPublic: anybody, onFailure });
  }

  /** What was published lies in the mesh's own store. */
  async store(): Promise<void> {
    const random = seededRandom(5);
    const { publications, blobs } = this.mesh;
    for (const publication of publications.slice(this.#stored))
      if (blobs.has(publication.blobId)) await storeRecord(publication, this.own, random);
    this.#stored = publications.length;
  }

  /** One delivery of what is owed to replicas, as the coordinator's object makes it, after so many failed ones. */
  async copyOnce(failures = 0): Promise<void> {
    await this.store();
    const execute = ((name: never, input: never) =>
      this.mesh.execute(name, input).result) as Parameters<typeof replicate>[0]["execute"];
    await replicate({ store: this.own, replicas: this.copies, execute }, failures);
  }

  /** Delivers all. */
  async copy(): Promise<void> {
    this.mesh.live(2 * SECOND);
    while (this.owed !== null) {
      await this.copyOnce();
      this.mesh.live(2 * SECOND);
    }
  }

  list = async (query: object = {}) =>
    present(await this.replica.list(PointerQuery.parse({ limit: 500, ...query })));

  /** When the outbox owes replicas something new. */
  get owed(): number | null {
    return this.mesh.registry.outbox.dueAt({ kind: "replicate" });
  }
}
