import { toHex } from "../../base/bytes.ts";
import type { SubmitTaskInput } from "../../protocol/http.ts";
import { identityFrom, type PrivateKey } from "../keys.ts";

export interface SubmitOptions {
  /** Labels that the peer must all have. */
  readonly capabilities?: readonly string[];
  /** Only this peer. */
  readonly peerId?: string;
  readonly minScore?: number;
  /** Higher goes first; -100 to 100. */
  readonly priority?: number;
  /** Not ended by then, the task expires. */
  readonly deadlineSeconds?: number;
  readonly maxAttempts?: number;
  /** How long a peer may be silent about the task before another gets it. */
  readonly leaseSeconds?: number;
  /** Is told of the task's end, signed, until it acknowledges (`verifyCallback`). */
  readonly callback?: {
    readonly url: string;
    /** `whsec_` and base64; default: the token's own (`controller.callbackSecret()`). */
    readonly secret?: string;
  };
  /** Not begun before this time. */
  readonly notBefore?: Date;
  /** The pauses between tries: the first, and the longest; they double. */
  readonly backoff?: { readonly firstSeconds?: number; readonly maxSeconds?: number };
  /** Never these peers. */
  readonly avoid?: readonly string[];
  /** Only peers of this role. */
  readonly role?: "worker" | "dual";
  /** Of the best, prefer who is near this place, or this peer. */
  readonly near?:
    | { readonly latitude: number; readonly longitude: number }
    | { readonly peerId: string };
  /** X25519 key, in hex, that the result is sealed to: `controller.result` opens it with the private one. */
  readonly sealTo?: string;
  /** Names the submission itself: the same key makes no second task. Default: a fresh one for each call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** Has the result sealed to the public half of this key, if there is one. */
export const sealingTo = (privateKey: PrivateKey | undefined): Pick<SubmitOptions, "sealTo"> =>
  privateKey === undefined ? {} : { sealTo: toHex(identityFrom(privateKey).publicKey) };

/** The body of `POST /v1/tasks`; what is not given is left to the mesh's defaults. */
export function submission(
  kind: string,
  payload: unknown,
  options: SubmitOptions,
): SubmitTaskInput {
  const { capabilities, peerId, minScore } = options;
  return {
    kind,
    payload,
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
    ...(options.deadlineSeconds !== undefined && { deadline_seconds: options.deadlineSeconds }),
    ...(options.maxAttempts !== undefined && { max_attempts: options.maxAttempts }),
    ...(options.leaseSeconds !== undefined && { lease_seconds: options.leaseSeconds }),
    ...(options.callback !== undefined && { callback: options.callback }),
  };
}
