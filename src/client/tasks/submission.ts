import { platformRandom } from "../../crypto/primitives/random.ts";
import { readShape } from "../../base/shape/read-shape.ts";
import type { SubmitTaskInput } from "../../protocol/http.ts";
import { newUuid } from "../../protocol/random-ids.ts";
import { IdempotencyKey } from "../../protocol/shapes/ids.ts";
import { OptionsError } from "../errors.ts";
import type { PrivateKey } from "../own-keys.ts";
import type { OptionNames } from "../known-options.ts";
import { payloadJson } from "./exact-value.ts";

export interface SubmitOptions {
  /** The peer must have all of these labels. */
  readonly capabilities?: readonly string[];
  /** Only this peer may run the task. */
  readonly peerId?: string;
  /** The peer's score must be at least this, 0 to 1. */
  readonly minScore?: number;
  /** -100 to 100; tasks of higher priority are assigned first. Default 0. */
  readonly priority?: number;
  /** At most `limit` tasks of this owner with this key are at peers at once; the others wait and delay no other task. */
  readonly concurrency?: { readonly key: string; readonly limit: number };
  /** The task expires if it has not ended after this time, counted from `notBefore`. */
  readonly deadlineSeconds?: number;
  /** Attempts allowed in total. */
  readonly maxAttempts?: number;
  /** How long the mesh waits for a sign of life from the peer before it reassigns the task. */
  readonly leaseSeconds?: number;
  /** How long one attempt may take from its beginning, whatever its heartbeats say. Default 3,600. */
  readonly attemptTimeoutSeconds?: number;
  /** How many begun attempts may be lost with their peers before the task fails. Default 20. */
  readonly maxInterruptions?: number;
  /** Receives a signed request when the task has ended, repeated until it answers 2xx (see `verifyCallback`). */
  readonly callback?: {
    readonly url: string;
    /** `whsec_` and base64; default: that of the token and the URL's origin (`mesh.callbacks.secret(url)`). */
    readonly secret?: string;
  };
  /** The task is not assigned before this time. */
  readonly notBefore?: Date;
  /** The delay before the second attempt; it doubles with each attempt up to the maximum. */
  readonly backoff?: { readonly firstSeconds?: number; readonly maxSeconds?: number };
  /** IDs of peers that must not run the task. */
  readonly avoid?: readonly string[];
  /** Only peers of this role may run the task. */
  readonly role?: "worker" | "dual";
  /** Among equally suitable peers, prefer one near this place (degrees) or near this peer. */
  readonly near?:
    | { readonly latitude: number; readonly longitude: number }
    | { readonly peerId: string };
  /** An X25519 public key (hex) to which the result is sealed; `mesh.tasks.result` opens it with the private key. */
  readonly sealTo?: string;
  /** Identifies the submission: a second call with the same key creates no second task. Default: a fresh key per call. */
  readonly idempotencyKey?: string;
  /** The trace that the task belongs to (W3C Trace Context). One that is not valid is ignored. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly signal?: AbortSignal;
}

/** The names of the options of a submission. */
export const SUBMIT_OPTIONS: OptionNames<SubmitOptions> = {
  capabilities: "strings",
  peerId: "string",
  minScore: "number",
  priority: "number",
  concurrency: { key: "string", limit: "number" },
  deadlineSeconds: "number",
  maxAttempts: "number",
  leaseSeconds: "number",
  attemptTimeoutSeconds: "number",
  maxInterruptions: "number",
  callback: { url: "string", secret: "string" },
  notBefore: "date",
  backoff: { firstSeconds: "number", maxSeconds: "number" },
  avoid: "strings",
  role: "string",
  near: { latitude: "number", longitude: "number", peerId: "string" },
  sealTo: "string",
  idempotencyKey: "string",
  traceparent: "string",
  tracestate: "string",
  signal: "signal",
};

/** The key of a submission: the caller's, or a new one. Throws an `OptionsError` if it is not valid. */
export function idempotencyKeyOf(given: string | undefined): string {
  if (given === undefined) return newUuid(platformRandom);
  const key = readShape(IdempotencyKey, given);
  if (key.ok) return key.value;
  throw new OptionsError(`${key.error}; not ${JSON.stringify(given).slice(0, 300)}`);
}

/** The option that seals the result to the public half of this key; empty without a key. */
export async function sealingTo(
  privateKey: PrivateKey | undefined,
): Promise<Pick<SubmitOptions, "sealTo">> {
  if (privateKey === undefined) return {};
  const { sealingKeyOf } = await import("./read-result.ts");
  return { sealTo: sealingKeyOf(privateKey) };
}

/**
 * The body of `POST /v1/tasks`. Throws an `OptionsError` if JSON would change the payload in silence. Options that are not given are left out, so that the
 * mesh's defaults apply.
 */
export function submission(
  kind: string,
  payload: unknown,
  options: SubmitOptions,
): SubmitTaskInput {
  const { capabilities, peerId, minScore } = options;
  return {
    kind,
    payload: payloadJson(payload),
    requirements: {
      ...(capabilities !== undefined && { capabilities: [...capabilities] }),
      ...(peerId !== undefined && { peer_id: peerId }),
      ...(minScore !== undefined && { min_score: minScore }),
      ...(options.avoid !== undefined && { avoid: [...options.avoid] }),
      ...(options.role !== undefined && { role: options.role }),
      ...(options.near !== undefined && {
        near: "peerId" in options.near ? { peer_id: options.near.peerId } : options.near,
      }),
    },
    ...(options.notBefore !== undefined && { not_before: options.notBefore.toISOString() }),
    ...(options.backoff !== undefined && {
      backoff: {
        first_seconds: options.backoff.firstSeconds,
        max_seconds: options.backoff.maxSeconds,
      },
    }),
    ...(options.sealTo !== undefined && { seal_to: options.sealTo }),
    ...(options.priority !== undefined && { priority: options.priority }),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options.deadlineSeconds !== undefined && { deadline_seconds: options.deadlineSeconds }),
    ...(options.maxAttempts !== undefined && { max_attempts: options.maxAttempts }),
    ...(options.leaseSeconds !== undefined && { lease_seconds: options.leaseSeconds }),
    ...(options.attemptTimeoutSeconds !== undefined && {
      attempt_timeout_seconds: options.attemptTimeoutSeconds,
    }),
    ...(options.maxInterruptions !== undefined && { max_interruptions: options.maxInterruptions }),
    ...(options.callback !== undefined && { callback: options.callback }),
  };
}
