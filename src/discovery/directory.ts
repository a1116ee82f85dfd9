import { toHex, utf8, type Bytes } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { z } from "zod";
import { sha256 } from "../crypto/primitives.ts";
import { Checkpoint, PointerView, RemovedPointer } from "../protocol/discovery.ts";

/** Where the directory lies in a store, and its pages by their names. */
export const DIRECTORY_KEY = "directory";
export const pageKey = (name: string): string => `page:${name}`;

/** What a reader takes, in bytes: far above what a mesh of a million peers writes. */
export const DIRECTORY_BYTES_MAX = 32 * 1_024;
export const PAGE_BYTES_MAX = 4 * 1_024 * 1_024;

/** Pointers that a page holds on average at most, as long as there may be more pages. */
const PAGE_POINTERS = 64;
const PAGE_BITS_MAX = 8;
const NAME_BYTES = 16;

const Name = z.string().regex(/^[0-9a-f]{32}$/);

/** What lies under a page's name: all that the mesh says of the IDs that begin alike. */
export const DirectoryPage = z.object({
  pointers: z.array(PointerView).max(100_000),
  removed: z.array(RemovedPointer).max(100_000),
});
export type DirectoryPage = z.infer<typeof DirectoryPage>;

/**
 * The one document that is overwritten: how far it goes, who may read, and the pages that it consists of, by their
 * hashes. The mesh signs it, so what a store holds is whole, or refused.
 */
export const Directory = z.object({
  checkpoint: Checkpoint,
  readers: z
    .array(
      z.object({
        epoch: z.int().positive(),
        /** By which the epoch's reader token is checked, in hex; null when it is worth nothing any more. */
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

/** What a document is, by its hash: 16 bytes of SHA-256, in hex. Pages are named by it. */
export const documentName = (content: Uint8Array): string =>
  toHex(sha256(content).subarray(0, NAME_BYTES));

export const pageContent = (page: DirectoryPage): Bytes => utf8(canonicalJson(page));

/** Bits of an ID by which it is put on a page, for so many pointers. */
export function pageBits(pointers: number): number {
  let bits = 0;
  while (bits < PAGE_BITS_MAX && pointers > PAGE_POINTERS * 2 ** bits) bits++;
  return bits;
}

/** The page of IDs with this first byte. IDs are as good as random, so pages fill evenly. */
export const pageOf = (byte: number, bits: number): number => byte >> (8 - bits);
