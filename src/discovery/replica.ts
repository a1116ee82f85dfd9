import { equalConstantTime, fromHex, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { BLOB_BYTES_MAX } from "../protocol/constants.ts";
import type { PointerView, RemovedPointer } from "../protocol/discovery.ts";
import type { PointerList, PointerQuery } from "../protocol/http.ts";
import { readerTag } from "./epoch-secrets.ts";
import { KeptBlobs } from "./kept-blobs.ts";
import { mayMatch } from "./metadata.ts";
import { blobKey } from "./sealed-records.ts";
import {
  SnapshotReader,
  STORE_READ_TIMEOUT,
  type Snapshot,
  type SnapshotPorts,
  type StoreCondition,
} from "./snapshot-reader.ts";
import { withReadDeadline } from "./store-deadline.ts";

/** The default bound of the sealed records that a replica keeps in memory: about 20,000 of the usual size. */
export const KEPT_BYTES_DEFAULT = 32 * 1_024 * 1_024;
/** Records that are read ahead in parallel, and how long after a pass the next one begins if some are still missing. */
const CONCURRENT_READS = 8;
const FILL_INTERVAL: Millis = 30 * SECOND;

export interface ReplicaPorts extends SnapshotPorts {
  /** Whether discovery is readable without a token. */
  readonly isPublic: boolean;
  /** Bytes of sealed records that are kept in memory, with 256 for each; 32 MiB by default. */
  readonly keptBytesMax?: number;
  /** Whether every record is read as soon as the directory names it, instead of at the first request for it. */
  readonly readsAhead?: boolean;
}

/** What a replica serves, and from when it is. */
export interface ReplicaStatus {
  readonly condition: StoreCondition;
  /** When the mesh signed the directory that is served; null when there is none. */
  readonly issuedAt: Millis | null;
  /** Sealed records that the directory names, and those of them that are kept in memory. */
  readonly records: number;
  readonly recordsKept: number;
}

/**
 * A read-only replica of a mesh's discovery. It serves only what the mesh signed, and nothing older than what it served
 * before. It has no secrets. While its store is lost, empty or hangs, it serves what it has kept.
 */
export class Replica {
  readonly #ports: ReplicaPorts;
  readonly #snapshots: SnapshotReader;
  /** Statements whose signatures are already verified. */
  readonly #verified = new WeakSet<PointerView | RemovedPointer>();
  readonly #store: SnapshotPorts["store"];
  readonly #blobs: KeptBlobs;
  #served: Snapshot | null = null;
  #filling: Promise<void> | null = null;
  #filledAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(ports: ReplicaPorts) {
    this.#ports = ports;
    this.#snapshots = new SnapshotReader(ports);
    this.#store = withReadDeadline(ports.store, STORE_READ_TIMEOUT);
    this.#blobs = new KeptBlobs(ports.keptBytesMax ?? KEPT_BYTES_DEFAULT);
  }

  /** Reads the store if a read is due, and the records that are not kept yet. */
  async refresh(): Promise<void> {
    await this.#snapshot();
    await this.#snapshots.reading;
    await this.#snapshot();
    await this.#filling;
  }

  /** Work that goes on after an answer; null when there is none. */
  get background(): Promise<unknown> | null {
    const work = [this.#snapshots.reading, this.#filling].filter((each) => each !== null);
    return work.length === 0 ? null : Promise.all(work);
  }

  get status(): ReplicaStatus {
    const { named, kept } = this.#blobs.use;
    const issuedAt = this.#served?.directory.checkpoint.issued_at;
    return {
      condition: this.#snapshots.condition,
      issuedAt: issuedAt === undefined ? null : Date.parse(issuedAt),
      records: named,
      recordsKept: kept,
    };
  }

  /** Whether the token may read. Null when no snapshot is available. */
  async mayRead(token: string): Promise<boolean | null> {
    const isReader = await this.isReader(token);
    return isReader === null ? null : isReader || this.#ports.isPublic;
  }

  /** Whether this is a reader token of the mesh. Every tag is compared, so that the time reveals nothing. Null without a snapshot. */
  async isReader(token: string): Promise<boolean | null> {
    const snapshot = await this.#snapshot();
    if (snapshot === null) return null;
    const shown = readerTag(token);
    let allowed = false;
    for (const { tag, expires_at } of snapshot.directory.readers) {
      const known = fromHex(tag ?? "") ?? new Uint8Array();
      const isCurrent = Date.parse(expires_at) > this.#ports.now();
      allowed = (equalConstantTime(shown, known) && isCurrent) || allowed;
    }
    return allowed;
  }

  /** One pointer, or null. It always verifies one signature, so that a missing pointer takes as long as an existing one. */
  async pointer(id: string): Promise<PointerView | null> {
    const snapshot = await this.#snapshot();
    if (snapshot === null) return null;
    const { verifier } = this.#ports;
    const found = snapshot.byId.get(id);
    if (found === undefined) {
      await verifier.checkpoint(snapshot.directory.checkpoint);
      return null;
    }
    return (await verifier.pointer(found)) && this.#isPublished(found) ? found : null;
  }

  /**
   * One blob: kept, or else from the store; null when neither has it. The replica can't open it; the reader who opens it verifies that it
   * belongs to the peer.
   */
  async blob(id: string): Promise<Bytes | null> {
    await this.#snapshot();
    if (!this.isNamed(id)) return null;
    const kept = this.#blobs.get(id);
    // Whoever asks within 2 s of a failed read gets an answer at once.
    return kept ?? (this.#snapshots.condition === "unreachable" ? null : this.#readBlob(id));
  }

  /** Whether a pointer that is served names this blob. Then it exists, also when it can't be read at the moment. */
  isNamed(id: string): boolean {
    return this.#blobs.isNamed(id, this.#ports.now());
  }

  async #readBlob(id: string): Promise<Bytes | null> {
    try {
      const bytes = await this.#store.get(blobKey(id));
      if (bytes === null || bytes.length > BLOB_BYTES_MAX) return null;
      this.#blobs.keep(id, bytes);
      return bytes;
    } catch (error) {
      this.#ports.onFailure?.(error);
      return null;
    }
  }

  async #snapshot(): Promise<Snapshot | null> {
    const snapshot = await this.#snapshots.current();
    const isNew = snapshot !== this.#served;
    this.#served = snapshot;
    if (isNew) this.#blobs.setNamed(snapshot?.pointers ?? []);
    if (this.#ports.readsAhead === true && snapshot !== null) this.#fillWhenDue(isNew);
    return snapshot;
  }

  #fillWhenDue(isNew: boolean): void {
    const { now } = this.#ports;
    if (this.#filling !== null || this.#snapshots.condition === "unreachable") return;
    if (!isNew && now() - this.#filledAt < FILL_INTERVAL) return;
    this.#filling = this.#fill().finally(() => {
      this.#filling = null;
      this.#filledAt = now();
    });
  }

  /** Reads the records that are not kept. Ends early when the store fails: the next pass goes on. What has no room is not read ahead. */
  async #fill(): Promise<void> {
    const missing = this.#blobs.missing(this.#ports.now());
    for (let at = 0; at < missing.length && this.#blobs.hasRoom; at += CONCURRENT_READS) {
      const batch = missing.slice(at, at + CONCURRENT_READS);
      const read = await Promise.all(batch.map((id) => this.#readBlob(id)));
      if (read.every((bytes) => bytes === null)) return;
    }
  }

  /** A page of pointers, as the mesh itself lists them. Null when no snapshot is available. */
  async list({ limit, cursor, since, ...filter }: PointerQuery): Promise<PointerList | null> {
    const snapshot = await this.#snapshot();
    if (snapshot === null) return null;
    if (since !== undefined) return this.#changes(snapshot, Number(since), { limit, filter });
    const { checkpoint } = snapshot.directory;
    const found = snapshot.pointers.filter(
      (pointer) =>
        pointer.id > (cursor ?? "") &&
        this.#isPublished(pointer) &&
        mayMatch(pointer.metadata, filter),
    );
    const page = found.slice(0, limit);
    return {
      pointers: await this.#signed(page),
      removed: [],
      since: String(checkpoint.seq),
      next_cursor: found.length > limit ? (page.at(-1)?.id ?? null) : null,
      ...signedState(snapshot),
    };
  }

  async #changes(
    snapshot: Snapshot,
    after: number,
    { limit, filter }: { limit: number; filter: Omit<PointerQuery, "limit" | "cursor" | "since"> },
  ): Promise<PointerList> {
    const { checkpoint } = snapshot.directory;
    const published = snapshot.pointers.filter((pointer) => this.#isPublished(pointer));
    const changed = [...published, ...snapshot.removed]
      .filter(({ seq }) => seq > after)
      .toSorted((a, b) => a.seq - b.seq);
    const page = changed.slice(0, limit);
    const more = changed.length > limit;
    const position = String(more ? page.at(-1)?.seq : checkpoint.seq);
    const isWanted = (each: PointerView | RemovedPointer): each is PointerView =>
      isPointer(each) && mayMatch(each.metadata, filter);
    return {
      pointers: await this.#signed(page.filter(isWanted)),
      removed: await this.#signed(page.filter((each) => !isWanted(each)).map(removalOf)),
      since: position,
      next_cursor: more ? position : null,
      ...signedState(snapshot),
    };
  }

  #isPublished = ({ expires_at }: PointerView): boolean =>
    Date.parse(expires_at) > this.#ports.now();

  async #signed<T extends PointerView | RemovedPointer>(statements: readonly T[]): Promise<T[]> {
    const signed = await Promise.all(statements.map((each) => this.#isSigned(each)));
    return statements.filter((_, index) => signed[index]);
  }

  async #isSigned(statement: PointerView | RemovedPointer): Promise<boolean> {
    // "No longer matches the query" is stated without a signature.
    if (statement.signature === null || this.#verified.has(statement)) return true;
    const { verifier } = this.#ports;
    const signed = isPointer(statement)
      ? await verifier.pointer(statement)
      : await verifier.removal(statement);
    if (signed) this.#verified.add(statement);
    return signed;
  }
}

/** The mesh's own statements about the whole list. */
const signedState = ({ directory: { checkpoint, totals } }: Snapshot) => ({
  checkpoint,
  ...(totals !== undefined && { totals }),
});

const isPointer = (each: PointerView | RemovedPointer): each is PointerView => "blob_id" in each;

/** The removal to report. A pointer that is still published but does not match the filter gets one without a signature. */
const removalOf = (each: PointerView | RemovedPointer): RemovedPointer =>
  isPointer(each) ? { id: each.id, epoch: each.epoch, seq: each.seq, signature: null } : each;
