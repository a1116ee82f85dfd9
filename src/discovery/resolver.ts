import { fromHex, type Bytes } from "../base/bytes.ts";
import { SECOND, type Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Checkpoint, EpochKeys, PointerView, RemovedPointer } from "../protocol/discovery.ts";
import type { PointerList } from "../protocol/http.ts";
import type { StmfErrorCode } from "../stmf/index.ts";
import { openPeerRecord, type PeerRecord } from "../stmf/peer-record.ts";
import { pointerIdOf } from "./epoch-secrets.ts";
import type { Verifier } from "./signed-statements.ts";

/**
 * - `statement_forged`: not signed with the mesh's signing key
 * - `statement_old`: a newer statement about the same ID was seen before, or its epoch has ended
 * - `pointer_expired`: the pointer has expired
 * - `directory_old`: the list was signed longer ago than the reader accepts
 * - `list_incomplete`: the source returned fewer pointers than the mesh has published, does not say how many there are, or its pages do not follow each other
 * - `signing_key_changed`: the source of the keys returned another signing key than at first: this is another mesh
 * - `epoch_unknown`: the reader has no key of the pointer's epoch
 * - `identity_mismatch`: the record's ID does not belong to its key or to the pointer
 * - `blob_missing` and the others: see stmf/errors.ts
 */
export type DiscoveryErrorCode =
  | StmfErrorCode
  | "statement_forged"
  | "statement_old"
  | "pointer_expired"
  | "directory_old"
  | "list_incomplete"
  | "signing_key_changed"
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
  #checkpoint: Pick<Checkpoint, "seq" | "epochs"> = { seq: 0, epochs: [] };
  #firstEpoch = 0;
  /** Pointers of accepted lists: their signatures are verified already. */
  readonly #verified = new WeakSet<PointerView>();

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  /**
   * Accepts one answer with pointers: everything in it is signed, nothing in it is older than what was seen before, and the mesh signed
   * it at most `ageMax` milliseconds ago.
   */
  async acceptList(
    list: PointerList,
    now: Millis,
    ageMax: Millis,
  ): Promise<Result<PointerList, DiscoveryFault>> {
    const { checkpoint, totals, pointers } = list;
    const accepted = await this.acceptCheckpoint(checkpoint);
    if (!accepted.ok) return accepted;
    const age = now - Date.parse(checkpoint.issued_at);
    if (age > ageMax) return fault("directory_old", ageText(checkpoint.issued_at, age, ageMax));
    if (totals === undefined) return fault("list_incomplete", NO_TOTALS);
    if (totals.seq !== checkpoint.seq || totals.issued_at !== checkpoint.issued_at)
      return fault("statement_forged", "the totals do not belong to the checkpoint");
    if (!(await this.#verifier.totals(totals))) return fault("statement_forged", NOT_SIGNED);
    const signed = await Promise.all(pointers.map((each) => this.#verifier.pointer(each)));
    if (signed.includes(false)) return fault("statement_forged", NOT_SIGNED);
    for (const pointer of pointers) {
      if (!this.#newest(pointer)) return fault("statement_old", NEWER_SEEN);
      this.#verified.add(pointer);
    }
    return ok(list);
  }

  async acceptPointer(
    pointer: PointerView,
    now: Millis,
  ): Promise<Result<PointerView, DiscoveryFault>> {
    if (!this.#verified.has(pointer) && !(await this.#verifier.pointer(pointer)))
      return fault("statement_forged", NOT_SIGNED);
    if (Date.parse(pointer.expires_at) <= now)
      return fault("pointer_expired", `the pointer expired at ${pointer.expires_at}`);
    return this.#newest(pointer) ? ok(pointer) : fault("statement_old", NEWER_SEEN);
  }

  async acceptRemoval(removal: RemovedPointer): Promise<Result<RemovedPointer, DiscoveryFault>> {
    if (!(await this.#verifier.removal(removal))) return fault("statement_forged", NOT_SIGNED);
    return this.#newest(removal) ? ok(removal) : fault("statement_old", NEWER_SEEN);
  }

  /** The epochs under which peers are published, by the newest checkpoint. */
  get epochs(): readonly number[] {
    return this.#checkpoint.epochs;
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
const NEWER_SEEN = "a newer statement about this pointer was seen before, or its epoch has ended";
const NO_TOTALS =
  "the server does not say how many peers are published: it is older than this client, or leaves that out";

const ageText = (issuedAt: string, age: Millis, ageMax: Millis): string =>
  `the mesh signed this list at ${issuedAt}, ${Math.round(age / SECOND)} s ago; at most ${Math.round(ageMax / SECOND)} s are accepted (maxAgeMs); check also this machine's clock`;

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
