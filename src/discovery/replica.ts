import { equalConstantTime, fromHex, type Bytes } from "../base/bytes.ts";
import { BLOB_BYTES_MAX } from "../protocol/constants.ts";
import type { PointerView, RemovedPointer } from "../protocol/discovery.ts";
import type { PointerList, PointerQuery } from "../protocol/http.ts";
import { SnapshotReader, type Snapshot, type SnapshotPorts } from "./snapshot-reader.ts";
import { readerTag } from "./epoch.ts";
import { mayMatch } from "./metadata.ts";
import { blobKey } from "./publisher.ts";

export interface ReplicaPorts extends SnapshotPorts {
  /** Whether readers need show nothing. */
  readonly isPublic: boolean;
}

/**
 * Answers for a mesh's discovery from a copy of it: nothing is served that the mesh has not signed, and nothing older
 * than what was served before. It holds no secret.
 */
export class Replica {
  readonly #ports: ReplicaPorts;
  readonly #copies: SnapshotReader;
  /** Statements whose signatures were checked. */
  readonly #verified = new WeakSet<PointerView | RemovedPointer>();

  constructor(ports: ReplicaPorts) {
    this.#ports = ports;
    this.#copies = new SnapshotReader(ports);
  }

  /** Whether the token is the reader token of an epoch; each one's tag is compared. Null when nothing is to be had. */
  async mayRead(token: string): Promise<boolean | null> {
    const copy = await this.#copies.current();
    if (copy === null) return null;
    const shown = readerTag(token);
    let reads = this.#ports.isPublic;
    for (const { tag, expires_at } of copy.directory.readers) {
      const known = fromHex(tag ?? "") ?? new Uint8Array();
      const admits = Date.parse(expires_at) > this.#ports.now();
      reads = (equalConstantTime(shown, known) && admits) || reads;
    }
    return reads;
  }

  /** Checks one signature whatever it finds, for what is not there must take no less. */
  async pointer(id: string): Promise<PointerView | null> {
    const copy = await this.#copies.current();
    if (copy === null) return null;
    const { verifier } = this.#ports;
    const found = copy.byId.get(id);
    if (found === undefined) {
      await verifier.checkpoint(copy.directory.checkpoint);
      return null;
    }
    return (await verifier.pointer(found)) && this.#stands(found) ? found : null;
  }

  /** Sealed to its epoch's key: whether it is the peer's, who opens it sees. */
  async blob(id: string): Promise<Bytes | null> {
    const bytes = await this.#ports.store.get(blobKey(id));
    return bytes === null || bytes.length > BLOB_BYTES_MAX ? null : bytes;
  }

  /** As the mesh itself lists. Null when nothing is to be had. */
  async list({ limit, cursor, since, ...filter }: PointerQuery): Promise<PointerList | null> {
    const copy = await this.#copies.current();
    if (copy === null) return null;
    if (since !== undefined) return this.#changes(copy, Number(since), { limit, filter });
    const { checkpoint } = copy.directory;
    const found = copy.pointers.filter(
      (pointer) =>
        pointer.id > (cursor ?? "") && this.#stands(pointer) && mayMatch(pointer.metadata, filter),
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
    copy: Snapshot,
    after: number,
    { limit, filter }: { limit: number; filter: Omit<PointerQuery, "limit" | "cursor" | "since"> },
  ): Promise<PointerList> {
    const { checkpoint } = copy.directory;
    const standing = copy.pointers.filter((pointer) => this.#stands(pointer));
    const changed = [...standing, ...copy.removed]
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

  #stands = ({ expires_at }: PointerView): boolean => Date.parse(expires_at) > this.#ports.now();

  async #signed<T extends PointerView | RemovedPointer>(statements: readonly T[]): Promise<T[]> {
    const signed = await Promise.all(statements.map((each) => this.#isSigned(each)));
    return statements.filter((_, index) => signed[index]);
  }

  async #isSigned(statement: PointerView | RemovedPointer): Promise<boolean> {
    // What merely does not match is said without a signature.
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

/** One that still stands but does not match is not signed away. */
const removalOf = (each: PointerView | RemovedPointer): RemovedPointer =>
  isPointer(each) ? { id: each.id, epoch: each.epoch, seq: each.seq, signature: null } : each;
