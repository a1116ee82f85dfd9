import { toHex, utf8, type Bytes } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { z } from "zod";
import { sha256 } from "../crypto/primitives/hashes.ts";
import { Checkpoint, ListedTotals, PointerView, RemovedPointer } from "../protocol/discovery.ts";

/** The keys of the directory and of its pages in a store. */
export const DIRECTORY_KEY = "directory";
export const pageKey = (name: string): string => `page:${name}`;

/** The largest documents that a reader accepts: far larger than those of a mesh with a million peers. */
export const DIRECTORY_BYTES_MAX = 32 * 1_024;
export const PAGE_BYTES_MAX = 4 * 1_024 * 1_024;

/** The average number of pointers per page above which the number of pages doubles, up to the maximum of 2^8 pages. */
const PAGE_POINTERS = 64;
const PAGE_BITS_MAX = 8;
const NAME_BYTES = 16;

const Name = z.string().regex(/^[0-9a-f]{32}$/);

/** A page: the pointers and removals of all IDs that begin with the same bits. */
export const DirectoryPage = z.object({
  pointers: z.array(PointerView).max(100_000),
  removed: z.array(RemovedPointer).max(100_000),
});
export type DirectoryPage = z.infer<typeof DirectoryPage>;

/**
 * The directory, which is the only document that is overwritten: the checkpoint, the readers, and the hashes of its
 * pages. The mesh signs it, so that a reader detects an incomplete or altered copy.
 */
export const Directory = z.object({
  checkpoint: Checkpoint,
  /** Absent in the directory of an older mesh. */
  totals: ListedTotals.optional(),
  readers: z
    .array(
      z.object({
        epoch: z.int().positive(),
        /** The value that verifies the epoch's reader token, in hex; null when the token is revoked. */
        tag: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .nullable(),
        expires_at: z.iso.datetime(),
      }),
    )
    .max(16),
  pages: z
    .array(Name)
    .min(1)
    .max(2 ** PAGE_BITS_MAX),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});
export type Directory = z.infer<typeof Directory>;

/** The content hash by which pages are named: 16 bytes of SHA-256, in hex. */
export const documentName = (content: Uint8Array): string =>
  toHex(sha256(content).subarray(0, NAME_BYTES));

/** The bytes of a page. The same page always has the same bytes, and so the same name. */
export const pageContent = (page: DirectoryPage): Bytes => utf8(canonicalJson(page));

/** The number of leading ID bits that select the page, for this number of pointers. */
export function pageBits(pointers: number): number {
  let bits = 0;
  while (bits < PAGE_BITS_MAX && pointers > PAGE_POINTERS * 2 ** bits) bits++;
  return bits;
}

/** The index of the page of IDs with this first byte. IDs are uniformly distributed, so pages fill evenly. */
export const pageOf = (byte: number, bits: number): number => byte >> (8 - bits);
