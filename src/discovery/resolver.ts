import { fromHex, type Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Checkpoint, EpochKeys, PointerView, RemovedPointer } from "../protocol/discovery.ts";
import type { StmfErrorCode } from "../stmf/index.ts";
import { openPeerRecord, type PeerRecord } from "../stmf/peer-record.ts";
import { pointerIdOf } from "./epoch.ts";
import type { Verifier } from "./signed.ts";

/**
 * - `statement_forged`: the mesh's signing key has not signed this
 * - `statement_old`: something newer was seen of it before, or it is of an epoch that is over
 * - `pointer_expired`: its time is over
 * - `epoch_unknown`: no key of its epoch is at hand
 * - `identity_mismatch`: the record's ID is not that of its key, or not the one that the pointer is for
 * - `blob_missing` and the rest: as in stmf/errors.ts
 */
export type DiscoveryErrorCode =
  | StmfErrorCode
  | "statement_forged"
  | "statement_old"
  | "pointer_expired"
  | "epoch_unknown";

export interface DiscoveryFault {
  readonly code: DiscoveryErrorCode;
  readonly detail: string;
}

const fault = (code: DiscoveryErrorCode, detail: string) => err<DiscoveryFault>({ code, detail });

/**
 * What one reader has seen of one mesh, whatever copy it came from: a statement holds when the mesh signed it, and
 * nothing newer was seen of the same thing.
 */
export class RollbackGuard {
  readonly #verifier: Verifier;
  /** The highest number seen of each ID, and its epoch. */
  readonly #seen = new Map<string, { readonly seq: number; readonly epoch: number }>();
  #checkpoint: Pick<Checkpoint, "seq" | "issued_at"> = { seq: 0, issued_at: "" };
  #firstEpoch = 0;

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  async acceptPointer(
    pointer: PointerView,
    now: Millis,
  ): Promise<Result<PointerView, DiscoveryFault>> {
    if (!(await this.#verifier.pointer(pointer))) return fault("statement_forged", NOT_SIGNED);
    if (Date.parse(pointer.expires_at) <= now)
      return fault("pointer_expired", `the pointer ran out at ${pointer.expires_at}`);
    return this.#newest(pointer)
      ? ok(pointer)
      : fault("statement_old", "the pointer is an old one");
  }

  async acceptRemoval(removal: RemovedPointer): Promise<Result<RemovedPointer, DiscoveryFault>> {
    if (!(await this.#verifier.removal(removal))) return fault("statement_forged", NOT_SIGNED);
    return this.#newest(removal)
      ? ok(removal)
      : fault("statement_old", "the removal is an old one");
  }

  /** Epochs that it no longer names are over. */
  async acceptCheckpoint(checkpoint: Checkpoint): Promise<Result<Checkpoint, DiscoveryFault>> {
    if (!(await this.#verifier.checkpoint(checkpoint)))
      return fault("statement_forged", NOT_SIGNED);
    if (checkpoint.seq < this.#checkpoint.seq)
      return fault("statement_old", `this copy ends at ${checkpoint.seq}, an earlier one did not`);
    this.#checkpoint = checkpoint;
    if (checkpoint.epochs.length > 0)
      this.#firstEpoch = Math.max(this.#firstEpoch, Math.min(...checkpoint.epochs));
    for (const [id, { epoch }] of this.#seen) if (epoch < this.#firstEpoch) this.#seen.delete(id);
    return ok(checkpoint);
  }

  #newest({ id, seq, epoch }: Pick<PointerView, "id" | "seq" | "epoch">): boolean {
    if (epoch < this.#firstEpoch || seq < (this.#seen.get(id)?.seq ?? 0)) return false;
    this.#seen.set(id, { seq, epoch });
    return true;
  }
}

const NOT_SIGNED = "the mesh's signing key has not signed this";

/** Opens what a pointer that is trusted leads to. `pointerSecret` is null where only the key is known. */
export function openResolved(
  pointer: PointerView,
  blob: Bytes | null,
  keys: { readonly privateKey: Uint8Array; readonly pointerSecret: Uint8Array | null },
): Result<PeerRecord, DiscoveryFault> {
  if (blob === null) return fault("blob_missing", "the store has no such blob");
  const record = openPeerRecord(blob, keys.privateKey);
  if (!record.ok) return record;
  const { pointerSecret } = keys;
  if (pointerSecret !== null && pointerIdOf(pointerSecret, record.value.id) !== pointer.id)
    return fault("identity_mismatch", "the record is of another peer than the pointer");
  return record;
}

/** The keys of a pointer's epoch; null when they are not at hand. */
export function keysOfEpoch(epochs: readonly EpochKeys[], epoch: number) {
  const keys = epochs.find((each) => each.epoch === epoch);
  if (keys === undefined) return null;
  const [privateKey, pointerSecret] = [fromHex(keys.private_key), fromHex(keys.pointer_secret)];
  return privateKey === null || pointerSecret === null ? null : { privateKey, pointerSecret };
}
