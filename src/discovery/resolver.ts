import { fromHex, type Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Checkpoint, EpochKeys, PointerView, RemovedPointer } from "../protocol/discovery.ts";
import type { StmfErrorCode } from "../stmf/index.ts";
import { openPeerRecord, type PeerRecord } from "../stmf/peer-record.ts";
import { pointerIdOf } from "./epoch-secrets.ts";
import type { Verifier } from "./signed-statements.ts";

/**
 * - `statement_forged`: not signed with the mesh's signing key
 * - `statement_old`: a newer statement about the same ID was seen before, or its epoch has ended
 * - `pointer_expired`: the pointer has expired
 * - `epoch_unknown`: the reader has no key of the pointer's epoch
 * - `identity_mismatch`: the record's ID does not belong to its key or to the pointer
 * - `blob_missing` and the others: see stmf/errors.ts
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
 * Protects one reader of one mesh against rollback: it accepts a statement only if the mesh signed it and the reader has
 * not seen a newer one about the same ID, at this or any other replica.
 */
export class RollbackGuard {
  readonly #verifier: Verifier;
  /** The highest sequence number seen for each ID, with its epoch. */
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
      return fault("pointer_expired", `the pointer expired at ${pointer.expires_at}`);
    return this.#newest(pointer)
      ? ok(pointer)
      : fault(
          "statement_old",
          "a newer statement about this pointer was seen before, or its epoch has ended",
        );
  }

  async acceptRemoval(removal: RemovedPointer): Promise<Result<RemovedPointer, DiscoveryFault>> {
    if (!(await this.#verifier.removal(removal))) return fault("statement_forged", NOT_SIGNED);
    return this.#newest(removal)
      ? ok(removal)
      : fault(
          "statement_old",
          "a newer statement about this pointer was seen before, or its epoch has ended",
        );
  }

  /** Accepts a checkpoint. Epochs that it no longer lists have ended. */
  async acceptCheckpoint(checkpoint: Checkpoint): Promise<Result<Checkpoint, DiscoveryFault>> {
    if (!(await this.#verifier.checkpoint(checkpoint)))
      return fault("statement_forged", NOT_SIGNED);
    if (checkpoint.seq < this.#checkpoint.seq)
      return fault(
        "statement_old",
        `this copy ends at ${checkpoint.seq}, but ${this.#checkpoint.seq} was seen before`,
      );
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

const NOT_SIGNED = "not signed with the mesh's signing key";

/** Opens the record of an accepted pointer. `pointerSecret` is null when the reader knows only the private key. */
export function openResolved(
  pointer: PointerView,
  blob: Bytes | null,
  keys: { readonly privateKey: Uint8Array; readonly pointerSecret: Uint8Array | null },
): Result<PeerRecord, DiscoveryFault> {
  if (blob === null)
    return fault("blob_missing", "the store has no blob under the pointer's blob ID");
  const record = openPeerRecord(blob, keys.privateKey);
  if (!record.ok) return record;
  const { pointerSecret } = keys;
  if (pointerSecret !== null && pointerIdOf(pointerSecret, record.value.id) !== pointer.id)
    return fault("identity_mismatch", "the record belongs to another peer than the pointer");
  return record;
}

/** The keys of an epoch; null when the reader does not have them. */
export function keysOfEpoch(epochs: readonly EpochKeys[], epoch: number) {
  const keys = epochs.find((each) => each.epoch === epoch);
  if (keys === undefined) return null;
  const [privateKey, pointerSecret] = [fromHex(keys.private_key), fromHex(keys.pointer_secret)];
  return privateKey === null || pointerSecret === null ? null : { privateKey, pointerSecret };
}
