import { fromUtf8, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import { JSON_DEPTH_MAX, parseJson } from "../base/json.ts";
import { EPOCH_LIFETIME } from "../protocol/constants.ts";
import type { Checkpoint, PointerView, RemovedPointer } from "../protocol/discovery.ts";
import {
  Directory,
  DIRECTORY_BYTES_MAX,
  DIRECTORY_KEY,
  DirectoryPage,
  documentName,
  PAGE_BYTES_MAX,
  pageKey,
} from "./directory.ts";
import type { Verifier } from "./signed-statements.ts";
import { withReadDeadline } from "./store-deadline.ts";
import type { DiscoveryStore } from "./store.ts";

/** How long the result of the last read, successful or not, is used before the store is read again. */
const SNAPSHOT_FRESH_FOR: Millis = 2 * SECOND;
/** How long a store may take for one document: one that hangs is one that is down. */
export const STORE_READ_TIMEOUT: Millis = 900;
/** How long a caller waits for a read that is under way: while a snapshot is kept, and while there is none. */
const KEPT_WAIT: Millis = 900;
const FIRST_WAIT: Millis = 1_500;
/** A read that takes longer was ended without notice: a Worker ends what a request began. Another one is begun. */
const READ_ABANDONED_AFTER: Millis = 30 * SECOND;
/** How long a snapshot is served after the store confirmed it last: then every pointer in it has expired. */
const KEPT_FOR: Millis = EPOCH_LIFETIME;
/** Pages that are read in parallel. */
const PAGE_READS_MAX = 16;

/** The state of a mesh's discovery at one moment. */
export interface Snapshot {
  readonly directory: Directory;
  /** Sorted by ID. */
  readonly pointers: readonly PointerView[];
  readonly byId: ReadonlyMap<string, PointerView>;
  readonly removed: readonly RemovedPointer[];
}

/**
 * What the store held at the last read:
 * - `unread`: it has not been read;
 * - `current`: the directory that is served;
 * - `unreachable`: it did not answer in time, or with an error;
 * - `empty`: no directory;
 * - `refused`: a directory that the mesh did not sign, without all its pages, or older than the one that is served.
 */
export type StoreCondition = "unread" | "current" | "unreachable" | "empty" | "refused";

export interface SnapshotPorts {
  readonly store: Pick<DiscoveryStore, "get">;
  readonly verifier: Verifier;
  readonly now: () => Millis;
  /** Called with the error when the store can't be read. */
  readonly onFailure?: (error: unknown) => void;
  /** Called when the store's condition is another than at the read before. */
  readonly onCondition?: (condition: StoreCondition) => void;
}

/**
 * Reads a mesh's discovery from an untrusted store. It refuses documents that the mesh did not sign and those older than
 * the last snapshot.
 */
export class SnapshotReader {
  readonly #ports: SnapshotPorts;
  /** Pages by name. A name is the hash of the content, so a page never changes. */
  #pages = new Map<string, DirectoryPage>();
  #current: Snapshot | null = null;
  /** When the store held this snapshot last. */
  #confirmedAt: Millis = Number.NEGATIVE_INFINITY;
  #triedAt: Millis = Number.NEGATIVE_INFINITY;
  /** Callers do not wait again before this time. */
  #waitAgainAt: Millis = Number.NEGATIVE_INFINITY;
  #condition: StoreCondition = "unread";
  #reading: { readonly done: Promise<void>; readonly begunAt: Millis } | null = null;

  constructor(ports: SnapshotPorts) {
    this.#ports = { ...ports, store: withReadDeadline(ports.store, STORE_READ_TIMEOUT) };
  }

  /** What the store held at the last read. While it is not `current`, the snapshot is one that was kept. */
  get condition(): StoreCondition {
    return this.#condition;
  }

  /** The read that is under way; null when there is none. It may take longer than callers wait. */
  get reading(): Promise<void> | null {
    return this.#reading?.done ?? null;
  }

  /**
   * The newest snapshot available; null when there is none. It waits a limited time for the store: a store that hangs delays one caller
   * in `SNAPSHOT_FRESH_FOR` and none by more than `FIRST_WAIT`.
   */
  async current(): Promise<Snapshot | null> {
    const { now } = this.#ports;
    const time = now();
    if (this.#isReadDue(time)) this.#beginRead(time);
    if (this.#reading !== null && time >= this.#waitAgainAt) {
      const wait = this.#current === null ? FIRST_WAIT : KEPT_WAIT;
      if (!(await settlesWithin(this.#reading.done, wait)))
        this.#waitAgainAt = now() + SNAPSHOT_FRESH_FOR;
    }
    return now() - this.#confirmedAt < KEPT_FOR ? this.#current : null;
  }

  #isReadDue(time: Millis): boolean {
    if (this.#reading !== null) return time - this.#reading.begunAt >= READ_ABANDONED_AFTER;
    return time - this.#triedAt >= SNAPSHOT_FRESH_FOR;
  }

  #beginRead(begunAt: Millis): void {
    const reading = {
      begunAt,
      done: this.#readAndNote().finally(() => {
        if (this.#reading === reading) this.#reading = null;
      }),
    };
    this.#reading = reading;
  }

  async #readAndNote(): Promise<void> {
    const condition = await this.#read();
    this.#triedAt = this.#ports.now();
    if (condition === "current") this.#confirmedAt = this.#triedAt;
    if (condition === this.#condition) return;
    this.#condition = condition;
    this.#ports.onCondition?.(condition);
  }

  /** Never rejects: when the store fails, the last snapshot remains. */
  async #read(): Promise<StoreCondition> {
    try {
      const document = await this.#ports.store.get(DIRECTORY_KEY);
      if (document === null) return "empty";
      const directory = readDocument(Directory, document, DIRECTORY_BYTES_MAX);
      if (directory === null) return "refused";
      if (directory.signature === this.#current?.directory.signature) return "current";
      return (await this.#isNewer(directory)) && (await this.#load(directory))
        ? "current"
        : "refused";
    } catch (error) {
      this.#ports.onFailure?.(error);
      return "unreachable";
    }
  }

  /** Whether the directory is signed by the mesh and newer than the current snapshot. */
  async #isNewer(directory: Directory): Promise<boolean> {
    const { checkpoint, totals } = directory;
    if (this.#isOlderThanCurrent(checkpoint)) return false;
    const { verifier } = this.#ports;
    return (
      (await verifier.directory(directory)) &&
      (await verifier.checkpoint(checkpoint)) &&
      (totals === undefined || verifier.totals(totals))
    );
  }

  #isOlderThanCurrent(checkpoint: Checkpoint): boolean {
    const known = this.#current?.directory.checkpoint;
    return known !== undefined && isOlder(checkpoint, known);
  }

  /** Returns false when a page is missing: it was just replaced, and the next read finds the directory that names its successor. */
  async #load(directory: Directory): Promise<boolean> {
    const pages = await this.#pagesOf(directory);
    // An abandoned read may end after a later one.
    if (pages === null || this.#isOlderThanCurrent(directory.checkpoint)) return false;
    this.#pages = pages;
    const all = directory.pages.map((name) => pages.get(name) as DirectoryPage);
    const pointers = all.flatMap((page) => page.pointers).toSorted(byId);
    this.#current = {
      directory,
      pointers,
      byId: new Map(pointers.map((pointer) => [pointer.id, pointer])),
      removed: all.flatMap(({ removed }) => removed),
    };
    return true;
  }

  async #pagesOf({ pages: names }: Directory): Promise<Map<string, DirectoryPage> | null> {
    const pages = new Map<string, DirectoryPage>();
    for (let at = 0; at < names.length; at += PAGE_READS_MAX) {
      const batch = names.slice(at, at + PAGE_READS_MAX);
      const read = await Promise.all(
        batch.map(async (name) => this.#pages.get(name) ?? this.#readPage(name)),
      );
      for (const [index, page] of read.entries()) {
        if (page === null) return null;
        pages.set(batch[index] as string, page);
      }
    }
    return pages;
  }

  async #readPage(name: string): Promise<DirectoryPage | null> {
    const content = await this.#ports.store.get(pageKey(name));
    return content !== null && documentName(content) === name
      ? readDocument(DirectoryPage, content, PAGE_BYTES_MAX)
      : null;
  }
}

/** Whether a promise that never rejects settles within this time. */
async function settlesWithin(promise: Promise<void>, ms: Millis): Promise<boolean> {
  return withDeadline(promise, ms).then(
    () => true,
    () => false,
  );
}

/** The mesh writes RFC 3339 in UTC with milliseconds, which sorts like the times. */
const isOlder = (a: Checkpoint, b: Checkpoint): boolean =>
  a.seq < b.seq || a.issued_at < b.issued_at;

const byId = (a: PointerView, b: PointerView): number => (a.id < b.id ? -1 : 1);

function readDocument<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  bytes: Bytes | null,
  bytesMax: number,
): T | null {
  const text = bytes === null || bytes.length > bytesMax ? null : fromUtf8(bytes);
  const read = schema.safeParse(text === null ? undefined : parseJson(text, JSON_DEPTH_MAX));
  return read.success ? read.data : null;
}
