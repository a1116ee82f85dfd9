import { fromUtf8, type Bytes } from "../base/bytes.ts";
import { MINUTE, SECOND, type Millis } from "../base/clock.ts";
import { JSON_DEPTH_MAX, parseJson } from "../base/json.ts";
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
import type { DiscoveryStore } from "./store.ts";

/** How long the result of the last read, successful or not, is used before the store is read again. */
const SNAPSHOT_FRESH_FOR: Millis = 2 * SECOND;
/** How long the last snapshot is served while the store fails (as `stale-if-error` in RFC 5861). */
const STALE_IF_ERROR: Millis = 1 * MINUTE;
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

export interface SnapshotPorts {
  readonly store: Pick<DiscoveryStore, "get">;
  readonly verifier: Verifier;
  readonly now: () => Millis;
  /** Called with the error when the store can't be read. */
  readonly onFailure?: (error: unknown) => void;
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
  #readAt: Millis = Number.NEGATIVE_INFINITY;
  #triedAt: Millis = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(ports: SnapshotPorts) {
    this.#ports = ports;
  }

  /** The newest snapshot available; null when there is none. */
  async current(): Promise<Snapshot | null> {
    const { now } = this.#ports;
    if (now() - this.#triedAt >= SNAPSHOT_FRESH_FOR) {
      this.#reading ??= this.#read().finally(() => {
        this.#triedAt = now();
        this.#reading = null;
      });
      await this.#reading;
    }
    return now() - this.#readAt < STALE_IF_ERROR ? this.#current : null;
  }

  /** Never rejects: when the store fails, the last snapshot remains. */
  async #read(): Promise<void> {
    const { store, now } = this.#ports;
    try {
      const directory = readDocument(
        Directory,
        await store.get(DIRECTORY_KEY),
        DIRECTORY_BYTES_MAX,
      );
      if (directory !== null && (await this.#isNewer(directory))) await this.#load(directory);
      this.#readAt = now();
    } catch (error) {
      this.#ports.onFailure?.(error);
    }
  }

  /** Whether the directory is signed by the mesh and newer than the current snapshot. */
  async #isNewer(directory: Directory): Promise<boolean> {
    const { checkpoint } = directory;
    const known = this.#current?.directory;
    if (directory.signature === known?.signature) return false;
    if (known !== undefined && isOlder(checkpoint, known.checkpoint)) return false;
    const { verifier } = this.#ports;
    return (await verifier.directory(directory)) && verifier.checkpoint(checkpoint);
  }

  async #load(directory: Directory): Promise<void> {
    const pages = await this.#pagesOf(directory);
    // A missing page was just replaced: the next read finds the directory that names its successor.
    if (pages === null) return;
    this.#pages = pages;
    const all = directory.pages.map((name) => pages.get(name) as DirectoryPage);
    const pointers = all.flatMap((page) => page.pointers).toSorted(byId);
    this.#current = {
      directory,
      pointers,
      byId: new Map(pointers.map((pointer) => [pointer.id, pointer])),
      removed: all.flatMap(({ removed }) => removed),
    };
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
