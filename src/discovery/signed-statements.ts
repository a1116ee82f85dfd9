import { fromHex, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import type { JsonObject } from "../base/json.ts";
import { ed25519Sign } from "../crypto/primitives/edwards.ts";
import type { VerifyEd25519 } from "../crypto/ed25519.ts";
import type {
  Checkpoint,
  ListedTotals,
  PointerView,
  RemovedPointer,
} from "../protocol/discovery.ts";
import type { ResultContent } from "../protocol/result-content.ts";

/** The kinds of signed statements. The kind is part of the signed bytes, so that one kind can't be used as another. */
export type StatementKind =
  | "pointer"
  | "removal"
  | "checkpoint"
  | "totals"
  | "directory"
  | "result";

/** The signed bytes: `muster/` + kind + `/1`, a line feed, and the canonical JSON of the statement without its signature. */
function signedBytes(kind: StatementKind, statement: JsonObject): Bytes {
  const { signature, ...body } = statement;
  return utf8(`muster/${kind}/1\n${canonicalJson(signature === undefined ? statement : body)}`);
}

/** The Ed25519 signature with the mesh's signing key, in hex. */
export const sign = (kind: StatementKind, body: object, signingKey: Uint8Array): string =>
  toHex(ed25519Sign(signingKey, signedBytes(kind, body as JsonObject)));

/** What the mesh signs of a task's result. A task succeeds once, so there is one such statement of a task. */
export interface ResultStatement extends ResultContent {
  readonly task_id: string;
  /** The fencing number of the attempt that succeeded. */
  readonly fence: number;
  /** Whether the bytes are an STMF container, which the caller's key opens. */
  readonly sealed: boolean;
}

/** Verifies signatures of one mesh's statements. */
export interface Verifier {
  readonly pointer: (pointer: PointerView) => Promise<boolean>;
  readonly removal: (removal: RemovedPointer) => Promise<boolean>;
  readonly checkpoint: (checkpoint: Checkpoint) => Promise<boolean>;
  readonly totals: (totals: ListedTotals) => Promise<boolean>;
  readonly directory: (directory: object & { readonly signature: string }) => Promise<boolean>;
  readonly result: (result: ResultStatement & { readonly signature: string }) => Promise<boolean>;
}

export function verifierOf(publicKey: Uint8Array, verify: VerifyEd25519): Verifier {
  const check = async (
    kind: StatementKind,
    body: object & { readonly signature: string | null },
  ) => {
    const signature = fromHex(body.signature ?? "");
    if (signature === null) return false;
    return verify(publicKey, signedBytes(kind, body), signature);
  };
  return {
    pointer: (pointer) => check("pointer", pointer),
    removal: (removal) => check("removal", removal),
    checkpoint: (checkpoint) => check("checkpoint", checkpoint),
    totals: (totals) => check("totals", totals),
    directory: (directory) => check("directory", directory),
    result: (result) => check("result", result),
  };
}
