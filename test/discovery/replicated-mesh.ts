import { replicate } from "../../src/coordinator/outbox/replicate.ts";
import { SECOND } from "../../src/base/clock.ts";
import { platformVerify } from "../../src/crypto/ed25519.ts";
import { DIRECTORY_KEY, documentName } from "../../src/discovery/directory.ts";
import { storeRecord } from "../../src/discovery/sealed-records.ts";
import { Replica, type ReplicaPorts } from "../../src/discovery/replica.ts";
import { verifierOf } from "../../src/discovery/signed-statements.ts";
import { PointerQuery } from "../../src/protocol/http.ts";
import type { CoordinatorConfig } from "../../src/coordinator/kernel/context.ts";
import { TestMesh, type Key } from "../coordinator/mesh.ts";
import { present } from "../must.ts";
import { seededRandom } from "../random.ts";
import { MemoryStore } from "./memory-store.ts";

/** A mesh with its own store, the store to which it copies, and a replica that reads the latter. */
export class ReplicatedMesh {
  readonly mesh: TestMesh;
  readonly blobStore: MemoryStore;
  readonly replicaStore: MemoryStore;
  replica!: Replica;
  /** The number of signatures that replicas have verified. */
  verifications = 0;
  /** How often the mesh has looked whether its store of replicas holds the directory. */
  checks = 0;
  canCheck = true;
  /** The errors that the replica reported to `onFailure`. */
  readonly failures: unknown[] = [];
  /** How far the replica's clock is ahead of the mesh's, so that it reads the store again each time. */
  #ahead = 0;
  #stored = 0;

  constructor(discovery: Partial<CoordinatorConfig["discovery"]> = {}, replicated = true) {
    const { config } = new TestMesh();
    this.mesh = new TestMesh({
      config: { discovery: { ...config.discovery, ...discovery, replicated } },
    });
    this.blobStore = new MemoryStore(() => this.mesh.now);
    this.replicaStore = new MemoryStore(() => this.mesh.now);
    if (replicated) this.mesh.checkCopy = () => this.#checkCopy();
  }

  #checkCopy(): boolean {
    if (!this.canCheck) return false;
    this.checks++;
    const document = this.replicaStore.peek(DIRECTORY_KEY);
    this.mesh.run("copy_checked", { held: document === null ? null : documentName(document) });
    return true;
  }

  /** A mesh with these peers, whose replica has nothing read yet. */
  static async withPeers(...keys: readonly Key[]): Promise<ReplicatedMesh> {
    const scene = new ReplicatedMesh();
    for (const key of keys) scene.mesh.join(key);
    await scene.replicateAll();
    await scene.open();
    return scene;
  }

  /** A new replica that has read nothing yet. */
  async open(isPublic = true, ports: Partial<ReplicaPorts> = {}): Promise<void> {
    const { verifyingKey } = this.mesh.config.discovery;
    const verify = await platformVerify();
    const verifier = verifierOf(verifyingKey, (...signed) => {
      this.verifications++;
      return verify(...signed);
    });
    const now = () => this.mesh.now + (this.#ahead += 3 * SECOND);
    const onFailure = (error: unknown) => this.failures.push(error);
    this.replica = new Replica({
      store: this.replicaStore,
      verifier,
      now,
      isPublic,
      onFailure,
      ...ports,
    });
  }

  /** Seals and stores the records that the mesh has published since the last call. */
  async storePublications(): Promise<void> {
    const random = seededRandom(5);
    const { publications, blobs } = this.mesh;
    for (const publication of publications.slice(this.#stored))
      if (blobs.has(publication.blobId)) await storeRecord(publication, this.blobStore, random);
    this.#stored = publications.length;
  }

  /** One replication attempt, as the coordinator's object makes it, after this many failed ones. */
  async replicateOnce(failures = 0): Promise<void> {
    await this.storePublications();
    const execute = ((name: never, input: never) =>
      this.mesh.execute(name, input).result) as Parameters<typeof replicate>[0]["execute"];
    await replicate({ store: this.blobStore, replicas: this.replicaStore, execute }, failures);
  }

  /** Replicates until nothing is pending. */
  async replicateAll(): Promise<void> {
    this.mesh.runFor(2 * SECOND);
    while (this.replicationDueAt !== null) {
      await this.replicateOnce();
      this.mesh.runFor(2 * SECOND);
    }
  }

  list = async (query: object = {}) =>
    present(await this.replica.list(PointerQuery.parse({ limit: 500, ...query })));

  /** When the outbox has a new replication entry due. */
  get replicationDueAt(): number | null {
    return this.mesh.registry.outbox.dueAt({ kind: "replicate" });
  }
}
