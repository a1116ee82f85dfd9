import { equalConstantTime, fromHex, type Bytes } from "../base/bytes.ts";
import { BLOB_BYTES_MAX } from "../protocol/constants.ts";
import type { PointerView, RemovedPointer } from "../protocol/discovery.ts";
import type { PointerList, PointerQuery } from "../protocol/http.ts";
import { SnapshotReader, type Snapshot, type SnapshotPorts } from "./snapshot-reader.ts";
import { readerTag } from "./epoch-secrets.ts";
import { mayMatch } from "./metadata.ts";
import { blobKey } from "./sealed-records.ts";

export interface ReplicaPorts extends SnapshotPorts {
  /** Whether discovery is readable without a token. */
  readonly isPublic: boolean;
}

/**
 * A read-only replica of a mesh's discovery. It serves only what the mesh signed, and nothing older than what it served
 * before. It has no secrets.
 */
export class Replica {
  readonly #ports: ReplicaPorts;
  readonly #snapshots: SnapshotReader;
  /** Statements whose signatures are already verified. */
  readonly #verified = new WeakSet<PointerView | RemovedPointer>();

  constructor(ports: ReplicaPorts) {
    this.#ports = ports;
    this.#snapshots = new SnapshotReader(ports);
  }

  /** Whether the token may read. Null when no snapshot is available. */
  async mayRead(token: string): Promise<boolean | null> {
    const isReader = await this.isReader(token);
    return isReader === null ? null : isReader || this.#ports.isPublic;
  }

  /** Whether this is a reader token of the mesh. Every tag is compared, so that the time reveals nothing. Null without a snapshot. */
  async isReader(token: string): Promise<boolean | null> {
    const snapshot = await this.#snapshots.current();
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
    const snapshot = await this.#snapshots.current();
    if (snapshot === null) return null;
    const { verifier } = this.#ports;
    const found = snapshot.byId.get(id);
    if (found === undefined) {
      await verifier.checkpoint(snapshot.directory.checkpoint);
      return null;
    }
    return (await verifier.pointer(found)) && this.#isPublished(found) ? found : null;
  }

  /** One blob, or null. The replica can't open it; the reader who opens it verifies that it belongs to the peer. */
  async blob(id: string): Promise<Bytes | null> {
    const bytes = await this.#ports.store.get(blobKey(id));
    return bytes === null || bytes.length > BLOB_BYTES_MAX ? null : bytes;
  }

  /** A page of pointers, as the mesh itself lists them. Null when no snapshot is available. */
  async list({ limit, cursor, since, ...filter }: PointerQuery): Promise<PointerList | null> {
    const snapshot = await this.#snapshots.current();
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
      checkpoint,
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
      checkpoint,
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

const isPointer = (each: PointerView | RemovedPointer): each is PointerView => "blob_id" in each;

/** The removal to report. A pointer that is still published but does not match the filter gets one without a signature. */
const removalOf = (each: PointerView | RemovedPointer): RemovedPointer =>
  isPointer(each) ? { id: each.id, epoch: each.epoch, seq: each.seq, signature: null } : each;
