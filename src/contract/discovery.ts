import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { Publication } from "../discovery/sealed-records.ts";
import type { DiscoveryKeys } from "../protocol/discovery.ts";
import type { PointerList, PointerQuery, PointerView } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { DiscoveryEpoch } from "../registry/discovery-epochs.ts";
import type { CopiedDirectory } from "../registry/copies.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

/** Published records and pointers, by which peers find each other, and their copies for replicas. */
export interface DiscoveryCommands {
  list_pointers: {
    caller: "gateway";
    input: { readonly query: PointerQuery };
    output: PointerList;
  };
  read_discovery: { caller: "gateway"; input: ReadDiscoveryInput; output: DiscoveryRead };
  discovery_keys: {
    caller: "gateway";
    input: { readonly tokenId: string };
    output: DiscoveryKeys;
  };

  /** Asks cell 0 for an open epoch: it opens the next one if it may. */
  open_epoch: {
    caller: "cell";
    input: Empty;
    output: { readonly epochs: readonly DiscoveryEpoch[] };
  };
  /** IDs of pointers of other active peers, drawn at random. */
  sample_pointers: {
    caller: "cell";
    input: { readonly peerId: PeerId };
    output: { readonly pointers: readonly string[] };
  };
  /** The cell learns of epochs that cell 0 has opened. */
  learn_epochs: {
    caller: "mesh";
    input: { readonly epochs: readonly DiscoveryEpoch[] };
    output: Empty;
  };

  /** The answer is null when there is nothing to store. */
  prepare_publication: {
    caller: "mesh";
    input: { readonly peerId: PeerId };
    output: (OfPublication & { readonly publication: Publication }) | null;
  };
  published: {
    caller: "mesh";
    input: OfPublication & { readonly peerId: PeerId; readonly blobId: string };
    output: Empty;
  };
  blob_deleted: { caller: "mesh"; input: { readonly blobId: string }; output: Empty };
  prepare_replication: {
    caller: "mesh";
    input: { readonly held: string | null };
    output: Replication;
  };
  blobs_copied: {
    caller: "mesh";
    input: { readonly blobIds: readonly string[]; readonly more: boolean };
    output: Empty;
  };
  replicated: {
    caller: "mesh";
    input: { readonly copied: CopiedDirectory; readonly names: readonly string[] };
    output: Empty;
  };
  /** `held` names the directory that the replicas' store has. */
  copy_checked: { caller: "mesh"; input: { readonly held: string | null }; output: Empty };
  copy_dropped: { caller: "mesh"; input: { readonly key: string }; output: Empty };
}

export const DISCOVERY_CALLERS: CallersOf<DiscoveryCommands> = {
  list_pointers: "gateway",
  read_discovery: "gateway",
  discovery_keys: "gateway",
  open_epoch: "cell",
  sample_pointers: "cell",
  learn_epochs: "mesh",
  prepare_publication: "mesh",
  published: "mesh",
  blob_deleted: "mesh",
  prepare_replication: "mesh",
  blobs_copied: "mesh",
  replicated: "mesh",
  copy_checked: "mesh",
  copy_dropped: "mesh",
};

interface ReadDiscoveryInput {
  readonly id: string;
  /** Whether everybody may read, so that no credential is needed. */
  readonly anybody: boolean;
  readonly credential: { readonly id: string; readonly hash: string };
  readonly reader: string;
}

/** Whether the caller may read discovery, and the pointer with the requested ID if the caller may read that one. */
export interface DiscoveryRead {
  readonly allowed: boolean;
  readonly pointer: PointerView | null;
}

/** The versions that a record is made from while it is being stored. */
interface OfPublication {
  /** The epoch of the peer's session. */
  readonly session: number;
  /** The discovery epoch. */
  readonly epoch: number;
  readonly fingerprint: string;
}

/** What to copy: blobs before the pages that name them, pages before the directory that names the pages. */
export interface Replication {
  readonly blobs: readonly { readonly id: string; readonly expiresAt: Millis }[];
  /** Null while more blobs have to be copied first. */
  readonly directory: CopyOfDirectory | null;
}

export interface CopyOfDirectory {
  readonly content: Bytes;
  /** Pages that the store does not hold yet. */
  readonly pages: readonly { readonly name: string; readonly content: Bytes }[];
  readonly expiresAt: Millis;
  /** Names of all pages. */
  readonly names: readonly string[];
  readonly copied: Omit<CopiedDirectory, "incomplete">;
}
