import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { CopiedDirectory } from "../registry/copies.ts";

/** What is to be copied: blobs before the pages that name them, pages before the directory that names those. */
export interface Replication {
  readonly blobs: readonly { readonly id: string; readonly expiresAt: Millis }[];
  /** Null while more blobs must come first. */
  readonly directory: CopyOfDirectory | null;
}

export interface CopyOfDirectory {
  readonly content: Bytes;
  /** Those that the store does not hold yet. */
  readonly pages: readonly { readonly name: string; readonly content: Bytes }[];
  readonly expiresAt: Millis;
  /** Names of all pages. */
  readonly names: readonly string[];
  readonly copied: Omit<CopiedDirectory, "incomplete">;
}
